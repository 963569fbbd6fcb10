// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/settings_notes.h"

namespace keyhold::command::settings_notes {

namespace {

constexpr std::string_view kRotationTo = "# keyhold: a rotation begins, to the key in ";
constexpr std::string_view kKey = "# keyhold: key ";

std::optional<std::string> after(std::string_view prefix, std::string_view note) {
    if (!note.starts_with(prefix) || note.size() == prefix.size())
        return std::nullopt;
    return std::string(note.substr(prefix.size()));
}

} // namespace

std::string ofRotationTo(const std::string &place) {
    return std::string(kRotationTo) + place;
}

std::optional<std::string> rotationIn(std::string_view note) {
    return after(kRotationTo, note);
}

std::string ofKey(const std::string &keyId) {
    return std::string(kKey) + keyId;
}

std::optional<std::string> keyIn(std::string_view note) {
    return after(kKey, note);
}

} // namespace keyhold::command::settings_notes
