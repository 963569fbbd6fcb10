// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/host_keys.h"

#include "conf/error.h"
#include "host/settings_file.h"
#include "keys/key_file.h"

#include <cstdlib>
#include <utility>

namespace keyhold {

namespace {

constexpr const char *kRemedy = "; put it right and reload";

/// What is refused because of a setting that has a problem.
const char *consequenceOf(SettingProblem::Of setting, const KeyPlan &plan) {
    switch (setting) {
    case SettingProblem::Of::encryptData:
        return "; no value is stored";
    case SettingProblem::Of::secretsEncryptionKey:
        return plan.encrypt ? "; no value is stored, and none is read under that key"
                            : "; no value is read under that key";
    case SettingProblem::Of::secretsDecryptionKeys:
        return "; no value is read under that key";
    case SettingProblem::Of::sealExisting:
        return "; stored values are not sealed by it";
    case SettingProblem::Of::unsealExisting:
        return "; stored values are not made plain by it";
    case SettingProblem::Of::keyMemory:
        return "; \"auto\" is taken";
    case SettingProblem::Of::plainValues:
        return "; \"accept\" is taken";
    case SettingProblem::Of::audit:
        return "; calls are recorded";
    case SettingProblem::Of::auditFile:
        return "; the audit trail is where it is without this setting";
    case SettingProblem::Of::auditSync:
        return "; 1 is taken";
    case SettingProblem::Of::auditOnFailure:
        return "; \"refuse-clients\" is taken";
    }
    return "";
}

bool isOfAKey(const SettingProblem &failure) {
    return failure.setting == SettingProblem::Of::secretsEncryptionKey ||
           failure.setting == SettingProblem::Of::secretsDecryptionKeys;
}

/// Logs each problem, and notes in the keyring the keys that are not here by it.
void tellFailures(const HostKeys &keys, const std::string &file, Keyring &keyring, AdminLog &log) {
    for (const SettingProblem &failure : keys.settings.problems) {
        const std::string what = "'" + file + "': " + failure.text;
        log.error(what + consequenceOf(failure.setting, keys.plan) + kRemedy);
        if (isOfAKey(failure))
            keyring.noteMissing(what + kRemedy);
    }
}

/// Why new values are refused where the plan is doubtful.
std::string doubtOf(const Settings &settings, const std::string &file) {
    std::string text = "'" + file + "' does not tell how values are to be stored: ";
    const char *separator = "";
    for (const SettingProblem &failure : settings.problems) {
        if (failure.setting == SettingProblem::Of::encryptData ||
            failure.setting == SettingProblem::Of::secretsEncryptionKey) {
            text += separator + failure.text;
            separator = "; ";
        }
    }
    return text + kRemedy;
}

std::unique_ptr<KeySource> keyFile(const std::string &path, const std::string &settingsFile,
                                   const char *setting) {
    return std::make_unique<KeyFile>(posixFileSystem(), path,
                                     "'" + settingsFile + "': '" + setting + "'");
}

std::unique_ptr<KeySource> primarySourceOf(const KeyPlan &plan, const std::string &settingsFile,
                                           std::unique_ptr<KeySource> credential) {
    switch (plan.source) {
    case KeyPlan::Source::none:
        break;
    case KeyPlan::Source::setting:
        return keyFile(plan.keyPath, settingsFile, "secrets_encryption_key");
    case KeyPlan::Source::credential:
        return credential;
    case KeyPlan::Source::builtIn:
        return std::make_unique<KeyFile>(posixFileSystem(), plan.keyPath);
    }
    return nullptr;
}

/// Returns why the primary key cannot seal, or nothing.
std::string fetchPrimary(Keyring &keyring, const HostKeys &keys, const Deadline &deadline) {
    if (keys.primarySource == nullptr)
        return {};
    try {
        FetchedKey key = keys.primarySource->fetch(deadline);
        keyring.setPrimary(key.raw(),
                           keys.plan.encrypt && !keys.plan.isDoubtful && key.complaint.empty());
        return std::move(key.complaint);
    } catch (const NoKeyError &error) {
        keyring.noteMissing(error.fullText());
        return error.textWithFirstRemedy();
    } catch (const Error &error) {
        keyring.noteMissing(error.fullText());
        return error.fullText();
    }
}

void fetchEarlier(Keyring &keyring, HostKeys &keys, const Deadline &deadline, AdminLog &log) {
    for (const auto &source : keys.earlierSources) {
        try {
            FetchedKey key = source->fetch(deadline);
            keyring.addEarlier(key.raw());
            if (!key.complaint.empty())
                keys.earlierComplaints.push_back(std::move(key.complaint));
        } catch (const Error &error) {
            keyring.noteMissing(error.fullText());
            log.error("values under an earlier key cannot be read: " + error.fullText());
        }
    }
}

} // namespace

HostKeys readHostKeys(const InstancePaths &paths, AdminLog &log) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the host sets its environment before its threads
    return readHostKeys(paths, std::getenv("CREDENTIALS_DIRECTORY"), log);
}

HostKeys readHostKeys(const InstancePaths &paths, const char *credentialsDirectory, AdminLog &log) {
    HostKeys keys;
    if (FileStatus status; posixFileSystem().statusOf(paths.settingsFile, status) >= 0)
        keys.settingsStatus = status;
    SealingPolicy::Rules rules;
    try {
        SettingsFile file = readSettingsFile(paths.settingsFile);
        keys.settings = std::move(file.settings);
        for (const std::string &ignored : file.ignored)
            log.warning("'" + paths.settingsFile + "': " + ignored);
    } catch (const Error &error) {
        key_memory::preferSecretmem(paths.isSystem); // it may name a key
        rules.mustSeal = true;
        keys.hasSettings = false;
        keys.settings.audit = true; // it may ask for it
        rules.complaint = "'" + paths.settingsFile + "' cannot be used: " + error.fullText() +
                          "; put it right and reload";
        log.error(rules.complaint);
        Keyring none;
        none.noteMissing(rules.complaint);
        keys.policy = std::make_shared<const SealingPolicy>(std::move(none), std::move(rules));
        return keys;
    }
    auto credential = std::make_unique<Credential>(posixFileSystem(), credentialsDirectory);
    const bool hasCredential = credential->exists();
    keys.plan = planKey(keys.settings, hasCredential ? credential->name() : "", builtInKeyPath);
    // It keeps the machine from hibernating, which nobody has asked for who names no key.
    const bool usesKeys =
        keys.plan.source != KeyPlan::Source::none || !keys.plan.earlierKeyPaths.empty();
    key_memory::preferSecretmem(
        keys.settings.keyMemory == KeyMemoryChoice::secretmem ||
        (keys.settings.keyMemory == KeyMemoryChoice::automatic && paths.isSystem && usesKeys));
    for (const std::string &path : keys.plan.earlierKeyPaths)
        keys.earlierSources.push_back(keyFile(path, paths.settingsFile, "secrets_decryption_keys"));
    // libvirt has sealed with it until a key was named.
    if (hasCredential && keys.plan.source != KeyPlan::Source::credential)
        keys.earlierSources.push_back(std::move(credential));
    keys.primarySource = primarySourceOf(keys.plan, paths.settingsFile, std::move(credential));
    rules.mustSeal = keys.plan.encrypt;
    rules.convertExisting =
        keys.plan.encrypt ? keys.settings.sealExisting : keys.settings.unsealExisting;
    Keyring keyring;
    const Deadline deadline(kKeyPatience);
    rules.complaint = fetchPrimary(keyring, keys, deadline);
    rules.refusesPlain = keys.plan.encrypt && keyring.current() != nullptr &&
                         keys.settings.plainValues == PlainValues::refuse;
    fetchEarlier(keyring, keys, deadline, log);
    // Where it is not known whether a key is asked for, none need be where libvirt looks for it.
    const bool isExpected = !keys.plan.isDoubtful || keys.plan.source != KeyPlan::Source::builtIn;
    if (!rules.complaint.empty() && isExpected) {
        if (keys.plan.encrypt)
            log.error("new values cannot be stored: " + rules.complaint);
        else if (keyring.primary() == nullptr)
            log.error("values under the key cannot be read: " + rules.complaint);
        else // it opens all the same
            log.warning(rules.complaint);
    }
    tellFailures(keys, paths.settingsFile, keyring, log);
    rules.isPlainByDefault =
        !keys.plan.encrypt && !keys.settings.encryptData && !rules.convertExisting;
    if (rules.isPlainByDefault && rules.complaint.empty())
        rules.complaint =
            "'" + paths.settingsFile +
            "' names no key to seal with; name it in secrets_encryption_key, or write "
            "encrypt_data = 0 to have new values stored in plain, and reload";
    if (keys.plan.isDoubtful) {
        rules.convertExisting = false;
        rules.complaint = doubtOf(keys.settings, paths.settingsFile);
    }
    keys.policy = std::make_shared<const SealingPolicy>(std::move(keyring), std::move(rules));
    return keys;
}

} // namespace keyhold
