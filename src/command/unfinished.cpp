// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/unfinished.h"

#include "command/settings_notes.h"

namespace keyhold::command {

namespace {

/// Under a key that is here, and is not the current one; where encryption is off, under any.
std::size_t sealedUnderOthers(const Inspection &inspection, const Keyring &keyring,
                              const Key *current) {
    std::size_t count = 0;
    for (const auto &[keyId, number] : inspection.sealed)
        if (keyring.find(keyId) && !(current && current->id() == keyId))
            count += number;
    return count;
}

std::string valuesAre(std::size_t count) {
    return std::to_string(count) + (count == 1 ? " value is" : " values are");
}

/// An embedded root may go by the settings of another store, and then its notes are not of it.
bool hasOwnSettings(const Target &target) {
    return target.kind != Target::Kind::embedded ||
           target.paths.settingsFile == target.root + "/etc/secret.conf";
}

} // namespace

std::optional<Finding> unfinishedChange(const Target &target, const DriverView &view,
                                        const HostKeys &keys, const Inspection &inspection) {
    if (view.told && view.told->report.isReencrypting)
        return std::nullopt;
    const std::string &settings = target.paths.settingsFile;
    const Keyring &keyring = keys.policy->keyring();
    if (keys.settings.encryptData == false) {
        const std::size_t left =
            sealedUnderOthers(inspection, keyring, nullptr) + inspection.aes256cbc;
        if (left == 0 || !hasOwnSettings(target) ||
            settings_notes::inFile(settings, "encrypt_data") != settings_notes::kSwitchingOff)
            return std::nullopt;
        return Finding{Finding::Kind::unfinished,
                       {},
                       valuesAre(left) + " still encrypted; 'keyhold encrypt off' goes on"};
    }
    const Key *const current = keyring.current();
    const std::size_t left = current ? sealedUnderOthers(inspection, keyring, current) : 0;
    if (left == 0)
        return std::nullopt;
    const std::string text = valuesAre(left) + " still under an earlier key; ";
    if (hasOwnSettings(target) &&
        settings_notes::ofCurrentKey(settings) == settings_notes::kRotating)
        return Finding{Finding::Kind::unfinished, {}, text + "'keyhold encrypt rotate' goes on"};
    if (view.told && view.told->report.lastReencryption &&
        view.told->report.lastReencryption->failed > 0)
        return Finding{Finding::Kind::unfinished,
                       {},
                       text + "the daemon could not re-encrypt them, and its log says why; "
                              "'keyhold rekey' tries again"};
    return std::nullopt;
}

} // namespace keyhold::command
