// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/host_keys.h"

#include "conf/error.h"
#include "host/instance_paths.h"
#include "host/settings_file.h"
#include "keys/key_file.h"
#include "os/file_system.h"

#include <cerrno>
#include <cstdlib>
#include <optional>

#include <unistd.h>

namespace keyhold {

namespace {

/// Empty if there is none, for this process: where another user may not look, libvirt finds none
/// either. Root may look everywhere but where a policy forbids it, and then there is one: values
/// that were to be encrypted are not written plain.
std::string credentialPath(const char *directory) {
    std::string path = credentialPathIn(directory);
    if (path.empty())
        return path;
    FileStatus status;
    const int result = posixFileSystem().statusOf(path, status);
    const bool isHidden = result == -EACCES && ::geteuid() != 0;
    return result == -ENOENT || result == -ENOTDIR || isHidden ? "" : path;
}

constexpr const char *kRemedy = "; put it right and reload";

/// What a setting that is in trouble costs.
const char *costOf(SettingTrouble::Of setting, const KeyPlan &plan) {
    switch (setting) {
    case SettingTrouble::Of::encryptData:
        return "; no value is stored";
    case SettingTrouble::Of::secretsEncryptionKey:
        return plan.encrypt ? "; no value is stored, and none is read under that key"
                            : "; no value is read under that key";
    case SettingTrouble::Of::secretsDecryptionKeys:
        return "; no value is read under that key";
    case SettingTrouble::Of::sealExisting:
        return "; stored values are not sealed by it";
    case SettingTrouble::Of::unsealExisting:
        return "; stored values are not made plain by it";
    case SettingTrouble::Of::keyMemory:
        return "; \"auto\" is taken";
    }
    return "";
}

bool isOfAKey(const SettingTrouble &trouble) {
    return trouble.setting == SettingTrouble::Of::secretsEncryptionKey ||
           trouble.setting == SettingTrouble::Of::secretsDecryptionKeys;
}

/// Tells each trouble in the log, and the keyring of the keys that are not here by it.
void tellTroubles(const HostKeys &keys, const std::string &file, Keyring &keyring, AdminLog &log) {
    for (const SettingTrouble &trouble : keys.settings.troubles) {
        const std::string what = "'" + file + "': " + trouble.text;
        log.error(what + costOf(trouble.setting, keys.plan) + kRemedy);
        if (isOfAKey(trouble))
            keyring.noteMissing(what + kRemedy);
    }
}

/// Why new values are refused where the plan is doubtful.
std::string doubtOf(const Settings &settings, const std::string &file) {
    std::string text = "'" + file + "' does not tell how values are to be stored: ";
    const char *separator = "";
    for (const SettingTrouble &trouble : settings.troubles) {
        if (trouble.setting == SettingTrouble::Of::encryptData ||
            trouble.setting == SettingTrouble::Of::secretsEncryptionKey) {
            text += separator + trouble.text;
            separator = "; ";
        }
    }
    return text + kRemedy;
}

using RawKey = std::span<const std::uint8_t, Key::kSize>;

RawKey rawOf(KeyFile &file) {
    return RawKey(file.key.bytes());
}

/// A key file that `setting` of the settings in `settingsFile` names. As readKeyFile(), but for a
/// text that may be the key itself.
KeyFile readNamedKeyFile(const std::string &path, const char *setting,
                         const std::string &settingsFile) {
    if (mayBeAKey(posixFileSystem(), path))
        throw Error(ErrorCode::invalidEncryptionKey,
                    "'" + settingsFile + "': '" + setting +
                        "' names no file that is there, and it is not shown because it could be a "
                        "key; write the key to a file, name that and reload");
    return readKeyFile(posixFileSystem(), path);
}

/// Returns why the key of `plan` cannot seal, or nothing.
std::string addCurrent(Keyring &keyring, const KeyPlan &plan, const std::string &settingsFile) {
    KeyFile file = plan.source == KeyPlan::Source::setting
                       ? readNamedKeyFile(plan.keyPath, "secrets_encryption_key", settingsFile)
                       : readKeyFile(posixFileSystem(), plan.keyPath);
    if (plan.encrypt && !plan.isDoubtful && file.complaint.empty())
        keyring.setCurrent(rawOf(file));
    else
        keyring.setPrimary(rawOf(file));
    return file.complaint;
}

Keyring readKeys(const KeyPlan &plan, const std::string &settingsFile, std::string &complaint,
                 AdminLog &log) {
    Keyring keyring;
    if (plan.source != KeyPlan::Source::none) {
        try {
            complaint = addCurrent(keyring, plan, settingsFile);
        } catch (const Error &error) {
            complaint = error.fullText();
            keyring.noteMissing(complaint);
        }
    }
    for (const std::string &path : plan.earlierKeyPaths) {
        try {
            KeyFile file = readNamedKeyFile(path, "secrets_decryption_keys", settingsFile);
            keyring.addEarlier(rawOf(file));
        } catch (const Error &error) {
            keyring.noteMissing(error.fullText());
            log.error("values under an earlier key cannot be read: " + error.fullText());
        }
    }
    return keyring;
}

} // namespace

HostKeys readHostKeys(const InstancePaths &paths, AdminLog &log) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the host sets its environment before its threads
    return readHostKeys(paths, std::getenv("CREDENTIALS_DIRECTORY"), log);
}

HostKeys readHostKeys(const InstancePaths &paths, const char *credentialsDirectory, AdminLog &log) {
    HostKeys keys;
    SealingPolicy::Rules rules;
    try {
        SettingsFile file = readSettingsFile(paths.settingsFile);
        keys.settings = std::move(file.settings);
        for (const std::string &ignored : file.ignored)
            log.warning("'" + paths.settingsFile + "': " + ignored);
    } catch (const Error &error) {
        key_memory::preferSecretmem(paths.isSystem);
        rules.mustSeal = true;
        rules.complaint = "'" + paths.settingsFile + "' cannot be used: " + error.fullText() +
                          "; put it right and reload";
        log.error(rules.complaint);
        Keyring none;
        none.noteMissing(rules.complaint);
        keys.policy = std::make_shared<const SealingPolicy>(std::move(none), std::move(rules));
        return keys;
    }
    key_memory::preferSecretmem(
        keys.settings.keyMemory == KeyMemoryChoice::secretmem ||
        (keys.settings.keyMemory == KeyMemoryChoice::automatic && paths.isSystem));
    keys.plan = planKey(keys.settings, credentialPath(credentialsDirectory), builtInKeyPath);
    rules.mustSeal = keys.plan.encrypt;
    rules.convertExisting =
        keys.plan.encrypt ? keys.settings.sealExisting : keys.settings.unsealExisting;
    Keyring keyring = readKeys(keys.plan, paths.settingsFile, rules.complaint, log);
    // Where it is not known whether a key is asked for, none need be where libvirt looks for it.
    const bool isExpected = !keys.plan.isDoubtful || keys.plan.source != KeyPlan::Source::builtIn;
    if (!rules.complaint.empty() && isExpected)
        log.error((keys.plan.encrypt ? "new values cannot be stored: "
                                     : "values under the key cannot be read: ") +
                  rules.complaint);
    tellTroubles(keys, paths.settingsFile, keyring, log);
    if (keys.plan.isDoubtful) {
        rules.convertExisting = false;
        rules.complaint = doubtOf(keys.settings, paths.settingsFile);
    }
    keys.policy = std::make_shared<const SealingPolicy>(std::move(keyring), std::move(rules));
    return keys;
}

} // namespace keyhold
