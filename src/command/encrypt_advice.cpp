// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/encrypt_advice.h"

#include "command/key_needs.h"
#include "conf/error.h"

namespace keyhold::command {

std::vector<std::string> adviceOnEarlierKeys(const Target &target, const HostKeys &keys,
                                             const StoreDirectory &directory,
                                             const Inspection &inspection) {
    if (keys.settings.secretsDecryptionKeys.empty())
        return {};
    const Keyring &keyring = keys.policy->keyring();
    const auto idle = idleFilesOfEarlierKeys(directory, inspection, keyring);
    const std::size_t values = valuesOfEarlierKeys(inspection, keyring);
    if (values > 0 || !idle.empty()) {
        std::string text = "the keys in secrets_decryption_keys must stay:";
        if (values > 0)
            text += " " + std::to_string(values) + " values are not under the current key";
        if (!idle.empty())
            text += (values > 0 ? std::string(", and") : std::string()) + " " +
                    std::to_string(idle.size()) + " files may need one of them, such as " +
                    inQuotes(idle.front());
        return {text};
    }
    const bool isEmbedded = target.kind == Target::Kind::embedded; // has no daemon
    std::vector<std::string> advice{
        "no file of this store needs the keys in secrets_decryption_keys any more: take that line "
        "out of " +
        inQuotes(target.paths.settingsFile) + (isEmbedded ? "" : " and reload the daemon") +
        "; keep their files as long as there are backups that need them"};
    if (!isEmbedded)
        advice.emplace_back("embedded roots without a secret.conf of their own go by this one, and "
                            "were not looked at: keyhold status --root DIR shows what they need");
    return advice;
}

std::string adviceAfterOff(const Target &target, const Inspection &inspection) {
    const std::string settings = inQuotes(target.paths.settingsFile);
    if (!inspection.sealed.empty() || inspection.aes256cbc > 0)
        return "values are encrypted still; keep the keys, and their names in " + settings;
    return "no value is encrypted any more; the keys stay named in " + settings +
           ", and are needed as long as there are backups, or files without a definition, that "
           "they open";
}

} // namespace keyhold::command
