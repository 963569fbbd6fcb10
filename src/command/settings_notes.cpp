// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/settings_notes.h"

#include "conf/conf_edit.h"
#include "host/settings_file.h"

namespace keyhold::command::settings_notes {

namespace {

constexpr std::string_view kRotationTo = "# keyhold: a rotation begins, to the key in ";
constexpr std::string_view kKey = "# keyhold: key ";
constexpr std::string_view kNew = ", not all is sealed yet";

std::optional<std::string> after(std::string_view prefix, std::string_view note) {
    if (!note.starts_with(prefix) || note.size() == prefix.size())
        return std::nullopt;
    return std::string(note.substr(prefix.size()));
}

} // namespace

std::string inFile(const std::string &settingsFile, std::string_view setting) {
    return std::string(noteOf(readSettingsText(settingsFile).value_or(""), setting));
}

std::string ofRotationTo(const std::string &place) {
    return std::string(kRotationTo) + place;
}

std::optional<std::string> rotationIn(std::string_view note) {
    return after(kRotationTo, note);
}

std::string ofKey(const std::string &keyId) {
    return std::string(kKey) + keyId;
}

std::string ofNewKey(const std::string &keyId) {
    return ofKey(keyId).append(kNew);
}

bool isOfNewKey(std::string_view note) {
    return note.starts_with(kKey) && note.ends_with(kNew);
}

std::optional<std::string> keyIn(std::string_view note) {
    if (isOfNewKey(note))
        note.remove_suffix(kNew.size());
    return after(kKey, note);
}

std::string ofCurrentKey(const std::string &settingsFile) {
    return inFile(settingsFile, "secrets_encryption_key");
}

} // namespace keyhold::command::settings_notes
