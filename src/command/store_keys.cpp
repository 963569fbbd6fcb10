// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/store_keys.h"

#include "conf/error.h"
#include "keys/key_file.h"
#include "os/file_system.h"

#include <cstddef>
#include <cstdlib>
#include <filesystem>

namespace keyhold::command {

namespace {

/// Keeps errors and warnings, the errors first: they say why a key is not there.
class FindingsLog : public AdminLog {
  public:
    void info(const std::string & /*text*/) override {}
    void notice(const std::string & /*text*/) override {}
    void warning(const std::string &text) override { add(text, findings.size()); }
    void error(const std::string &text) override { add(text, errors_++); }

    std::vector<Finding> findings;

  private:
    void add(const std::string &text, std::size_t at) {
        findings.insert(findings.begin() + static_cast<std::ptrdiff_t>(at),
                        {Finding::Kind::settings, {}, text});
    }

    std::size_t errors_ = 0;
};

Keyring copyOf(const Keyring &keyring) {
    Keyring copy;
    for (const Key &key : keyring.keys()) {
        if (&key == keyring.primary())
            copy.setPrimary(key.raw(), &key == keyring.current());
        else
            copy.addEarlier(key.raw());
    }
    if (!keyring.missing().empty())
        copy.noteMissing(keyring.missing());
    return copy;
}

} // namespace

std::shared_ptr<const SealingPolicy> withRules(const SealingPolicy &policy,
                                               SealingPolicy::Rules rules) {
    return std::make_shared<const SealingPolicy>(copyOf(policy.keyring()), std::move(rules));
}

std::unique_ptr<KeySource> namedKeyFile(const std::string &path) {
    if (mayBeAKey(posixFileSystem(), path))
        throw Error(ErrorCode::invalidEncryptionKey,
                    "a key file that is named is not there, and its name is not shown because it "
                    "could be a key; write the key to a file, and name that");
    return std::make_unique<KeyFile>(posixFileSystem(),
                                     std::filesystem::absolute(path).lexically_normal().string());
}

FetchedKey fetchKey(const KeySource &source) {
    return source.fetch(Deadline(kKeyPatience));
}

StoreKeys readStoreKeys(const Target &target, const std::optional<Holder> &holder,
                        const std::vector<std::string> &moreKeyFiles) {
    FindingsLog log;
    const char *credentials =
        std::getenv("CREDENTIALS_DIRECTORY"); // NOLINT(concurrency-mt-unsafe): nothing sets it
    if (holder && !holder->credentialsDirectory.empty())
        credentials = holder->credentialsDirectory.c_str();
    StoreKeys keys{readHostKeys(target.paths, credentials, log), {}};
    keys.findings = std::move(log.findings);
    // The driver does not ask who else can read a key that only opens values.
    for (const std::string &complaint : keys.host.earlierComplaints)
        keys.findings.push_back({Finding::Kind::settings, {}, complaint});
    if (!moreKeyFiles.empty()) {
        Keyring keyring = copyOf(keys.host.policy->keyring());
        for (const std::string &path : moreKeyFiles)
            keyring.addEarlier(fetchKey(*namedKeyFile(path)).raw());
        keys.host.policy =
            std::make_shared<const SealingPolicy>(std::move(keyring), keys.host.policy->rules());
    }
    return keys;
}

} // namespace keyhold::command
