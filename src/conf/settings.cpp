// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/settings.h"

#include "conf/error.h"

namespace keyhold {
namespace {

void requireAbsolute(const char *name, const std::string &path) {
    if (!path.starts_with('/'))
        throw Error(ErrorCode::configUnsupported, std::string("'") + name + "' names '" + path +
                                                      "', which is not an absolute path");
}

KeyMemoryChoice keyMemoryOf(const std::string &word) {
    if (word == "auto")
        return KeyMemoryChoice::automatic;
    if (word == "secretmem")
        return KeyMemoryChoice::secretmem;
    if (word == "locked")
        return KeyMemoryChoice::locked;
    throw Error(ErrorCode::configUnsupported,
                "'key_memory' is '" + word + "', and not \"auto\", \"secretmem\" or \"locked\"");
}

} // namespace

Settings readSettings(const ConfValues &values) {
    Settings settings;
    settings.encryptData = values.boolean("encrypt_data");
    settings.secretsEncryptionKey = values.string("secrets_encryption_key");
    if (settings.secretsEncryptionKey)
        requireAbsolute("secrets_encryption_key", *settings.secretsEncryptionKey);
    settings.secretsDecryptionKeys =
        values.list("secrets_decryption_keys").value_or(std::vector<std::string>{});
    for (const std::string &path : settings.secretsDecryptionKeys)
        requireAbsolute("secrets_decryption_keys", path);
    settings.sealExisting = values.boolean("seal_existing").value_or(false);
    settings.unsealExisting = values.boolean("unseal_existing").value_or(false);
    if (const auto word = values.string("key_memory"))
        settings.keyMemory = keyMemoryOf(*word);
    return settings;
}

KeyPlan planKey(const Settings &settings, const std::string &credentialPath,
                const std::string &builtInPath) {
    KeyPlan plan;
    plan.earlierKeyPaths = settings.secretsDecryptionKeys;
    if (settings.secretsEncryptionKey) {
        plan.source = KeyPlan::Source::setting;
        plan.keyPath = *settings.secretsEncryptionKey;
    } else if (!credentialPath.empty()) {
        plan.source = KeyPlan::Source::credential;
        plan.keyPath = credentialPath;
    }
    plan.encrypt = settings.encryptData.value_or(plan.source != KeyPlan::Source::none);
    if (plan.encrypt && plan.source == KeyPlan::Source::none) {
        plan.source = KeyPlan::Source::builtIn;
        plan.keyPath = builtInPath;
    }
    return plan;
}

std::string credentialPathIn(const char *credentialsDirectory) {
    if (credentialsDirectory == nullptr)
        return {};
    return std::string(credentialsDirectory) + "/secrets-encryption-key";
}

} // namespace keyhold
