// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/purpose.h"

#include "conf/error.h"

namespace keyhold::command {

const char *purposeName(Purpose purpose) noexcept {
    switch (purpose) {
    case Purpose::seal:
        return "seal";
    case Purpose::rekey:
        return "rekey";
    case Purpose::unseal:
        return "unseal";
    }
    return "";
}

SealingPolicy::Rules rulesFor(Purpose purpose, const HostKeys &keys,
                              const std::string &settingsFile) {
    SealingPolicy::Rules rules{.mustSeal = purpose != Purpose::unseal,
                               .convertExisting = purpose != Purpose::rekey,
                               .complaint = {}};
    // What may not be read is not converted either.
    rules.refusesPlain = keys.policy->rules().refusesPlain;
    if (purpose == Purpose::unseal)
        return rules;
    if (!keys.policy->rules().mustSeal)
        throw Error(ErrorCode::configUnsupported,
                    inQuotes(settingsFile) +
                        " does not ask for encryption; keyhold encrypt on makes a key, names it "
                        "there, and seals all values");
    static_cast<void>(keys.policy->formatOfNew()); // raises if there is no key to seal with
    return rules;
}

std::string lackingFor(Purpose purpose, const Settings &settings, const KeyPlan &plan) {
    switch (purpose) {
    case Purpose::seal:
        return settings.sealExisting ? "" : "seal_existing = 1";
    case Purpose::rekey:
        return "";
    case Purpose::unseal:
        break;
    }
    std::string lacking = plan.encrypt ? "encrypt_data = 0" : "";
    if (!settings.unsealExisting)
        lacking += lacking.empty() ? "unseal_existing = 1" : " and unseal_existing = 1";
    return lacking;
}

std::string adviceAfter(Purpose purpose, const Settings &settings, const KeyPlan &plan,
                        const std::string &settingsFile) {
    switch (purpose) {
    case Purpose::seal:
        return "";
    case Purpose::rekey:
        if (settings.secretsDecryptionKeys.empty())
            return "";
        return "no value needs the keys in secrets_decryption_keys any more; keep their files as "
               "long as there are backups that do; embedded roots without a secret.conf of their "
               "own go by this one, and were not looked at";
    case Purpose::unseal:
        break;
    }
    if (!plan.encrypt)
        return "";
    const bool sealsAll = settings.sealExisting;
    return inQuotes(settingsFile) + " still asks for encryption: a daemon with Keyhold " +
           (sealsAll ? "seals all values again at its start (seal_existing = 1)"
                     : "seals each value that is set from now on") +
           ", and libvirt 12.1 or later encrypts those; to keep values plain, set encrypt_data = 0 "
           "there" +
           (sealsAll ? " and take seal_existing out" : "");
}

} // namespace keyhold::command
