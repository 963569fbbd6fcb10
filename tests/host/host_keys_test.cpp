// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings and keys that are as they should be. Others: host_keys_problems_test.cpp.
#include "host/host_keys.h"

#include "conf/error.h"
#include "host/host_fixture.h"
#include "host/settings_file.h"
#include "keys/key_file.h"
#include "seal/process.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace keyhold {
namespace {

using testing::IsEmpty;

class HostKeysTest : public WithHost {
  protected:
    HostKeys read(const char *credentials = nullptr) {
        return readHostKeys(paths(), credentials, log);
    }
    /// The directory of a credential whose key is of `seed`.
    [[nodiscard]] std::string credential(std::uint8_t seed) const {
        put("credentials/secrets-encryption-key", std::string(Key::kSize, static_cast<char>(seed)));
        return directory.path() + "/credentials";
    }
};

TEST_F(HostKeysTest, WithoutSettingsValuesArePlain) {
    for (const bool hasFile : {false, true}) {
        if (hasFile)
            configure("");
        const HostKeys keys = read();
        EXPECT_EQ(Settings(), keys.settings);
        EXPECT_EQ(ValueFormat::plain, keys.policy->formatOfNew());
        EXPECT_TRUE(keys.policy->keyring().keys().empty());
    }
    EXPECT_THAT(log.lines, IsEmpty());
}

TEST_F(HostKeysTest, WithoutTheDirectoryOfTheSettingsTheyAreEmpty) {
    InstancePaths elsewhere = paths();
    elsewhere.settingsFile = directory.path() + "/missing/secret.conf";
    EXPECT_EQ(ValueFormat::plain, readHostKeys(elsewhere, nullptr, log).policy->formatOfNew());
    EXPECT_THAT(log.lines, IsEmpty());
}

TEST_F(HostKeysTest, ANamedKeySealsAndEarlierOnesOpen) {
    configure("secrets_encryption_key = \"" + keyFile(1) + "\"\nsecrets_decryption_keys = [ \"" +
              keyFile(2) + "\" ]\nseal_existing = 1\n");
    const HostKeys keys = read();
    EXPECT_EQ(ValueFormat::jwe, keys.policy->formatOfNew());
    EXPECT_EQ(keyIdOf(1), keys.policy->keyring().current()->id());
    EXPECT_NE(nullptr, keys.policy->keyring().find(keyIdOf(2)));
    EXPECT_TRUE(keys.policy->rules().convertExisting);
    EXPECT_THAT(log.lines, IsEmpty());
}

TEST_F(HostKeysTest, WithEncryptionOffANamedKeyOpens) {
    configure("encrypt_data = 0\nsecrets_encryption_key = \"" + keyFile(1) +
              "\"\nunseal_existing = 1\n");
    const HostKeys keys = read();
    EXPECT_EQ(ValueFormat::plain, keys.policy->formatOfNew());
    EXPECT_EQ(nullptr, keys.policy->keyring().current());
    EXPECT_NE(nullptr, keys.policy->keyring().find(keyIdOf(1)));
    EXPECT_TRUE(keys.policy->rules().convertExisting);
}

TEST_F(HostKeysTest, ACredentialIsTheKeyUnlessOneIsNamed) {
    const std::string credentials = credential(3);
    EXPECT_EQ(keyIdOf(3), read(credentials.c_str()).policy->keyring().current()->id());
    configure("secrets_encryption_key = \"" + keyFile(1) + "\"\n");
    const HostKeys keys = read(credentials.c_str());
    EXPECT_EQ(keyIdOf(1), keys.policy->keyring().current()->id());
    EXPECT_NE(nullptr, keys.policy->keyring().find(keyIdOf(3)));
    EXPECT_THAT(log.lines, IsEmpty());
}

TEST_F(HostKeysTest, WithoutAKeyNewValuesArePlainByDefault) {
    EXPECT_TRUE(read().policy->rules().isPlainByDefault);
    for (const std::string asked : {"encrypt_data = 0\n", "unseal_existing = 1\n"}) {
        configure(asked);
        EXPECT_FALSE(read().policy->rules().isPlainByDefault) << asked;
    }
    configure("secrets_encryption_key = \"" + keyFile(1) + "\"\n");
    EXPECT_FALSE(read().policy->rules().isPlainByDefault);
}

TEST_F(HostKeysTest, PlainValuesAreRefusedWhereAKeySeals) {
    const std::string refuse = "plain_values = \"refuse\"\n";
    const std::string named = "secrets_encryption_key = \"" + keyFile(1) + "\"\n";
    configure(refuse + named);
    EXPECT_TRUE(read().policy->rules().refusesPlain);
    for (const std::string &without :
         {named, refuse, refuse + named + "encrypt_data = 0\n",
          refuse + "secrets_encryption_key = \"" + directory.path() + "/missing\"\n"}) {
        configure(without);
        EXPECT_FALSE(read().policy->rules().refusesPlain) << without;
    }
}

TEST_F(HostKeysTest, WhereNoCredentialIsNoneIsMissed) {
    const std::string file = put("file", "");
    for (const std::string &credentials :
         {directory.path() + "/missing", directory.path(), file, file + "/below"}) {
        const HostKeys keys = read(credentials.c_str());
        EXPECT_EQ(KeyPlan::Source::none, keys.plan.source) << credentials;
        EXPECT_EQ(ValueFormat::plain, keys.policy->formatOfNew()) << credentials;
    }
    EXPECT_THAT(log.lines, IsEmpty());
}

TEST_F(HostKeysTest, ACredentialWhereThisProcessMayNotLookIsNone) {
    const std::string credentials = credential(3);
    ASSERT_EQ(0, ::chmod(directory.path().c_str(), 0755));
    ASSERT_EQ(0, ::chmod(credentials.c_str(), 0600)); // cannot be searched
    if (::geteuid() == 0) {
        ASSERT_EQ(0, ::chown(credentials.c_str(), somebody(), static_cast<gid_t>(-1)));
    }
    EXPECT_EQ(0, inChild([&] {
                  if (!becomeSomebody())
                      return 9;
                  const HostKeys keys = read(credentials.c_str());
                  return keys.plan.source == KeyPlan::Source::none && log.lines.empty() ? 0 : 1;
              }));
    ASSERT_EQ(0, ::chmod(credentials.c_str(), 0700));
}

TEST_F(HostKeysTest, ADirectoryNeedsOnlyBeSearched) {
    configure("secrets_encryption_key = \"" + keyFile(1) + "\"\n");
    if (::geteuid() == 0) {
        for (const std::string &path : {directory.path(), settingsFile(), keyFile(1)})
            ASSERT_EQ(0, ::chown(path.c_str(), somebody(), static_cast<gid_t>(-1)));
    }
    ASSERT_EQ(0, ::chmod(directory.path().c_str(), 0100));
    const Deadline anHour{std::chrono::hours(1)};
    // Not readHostKeys(): a child has no keys once its parent has had some.
    EXPECT_EQ(0, inChild([&] {
                  if (!becomeSomebody())
                      return 9;
                  const auto path = readSettingsFile(settingsFile()).settings.secretsEncryptionKey;
                  return path && KeyFile(posixFileSystem(), *path).fetch(anHour).complaint.empty()
                             ? 0
                             : 1;
              }));
    ASSERT_EQ(0, ::chmod(directory.path().c_str(), 0700));
}

TEST_F(HostKeysTest, ACredentialThatRootMayNotLookAtIsNotPassedOver) {
    const std::string credentials = credential(3);
    ASSERT_EQ(0, ::chmod(credentials.c_str(), 0)); // cannot be searched
    EXPECT_EQ(0, inChild([&] {
                  if (!becomeBoundRoot())
                      return 9;
                  const HostKeys keys = read(credentials.c_str());
                  if (keys.plan.source != KeyPlan::Source::credential || log.lines.size() != 1)
                      return 1;
                  try {
                      static_cast<void>(keys.policy->formatOfNew());
                  } catch (const Error &error) {
                      return error.code() == ErrorCode::invalidEncryptionKey ? 0 : 2;
                  }
                  return 3;
              }));
    ASSERT_EQ(0, ::chmod(credentials.c_str(), 0700));
}

TEST_F(HostKeysTest, ACredentialThatIsThereButNoKeyIsNotPassedOver) {
    std::filesystem::create_directories(directory.path() + "/credentials/secrets-encryption-key");
    const HostKeys keys = read((directory.path() + "/credentials").c_str());
    EXPECT_EQ(KeyPlan::Source::credential, keys.plan.source);
    EXPECT_THROW(static_cast<void>(keys.policy->formatOfNew()), Error);
}

TEST_F(HostKeysTest, TheCredentialIsThatOfTheEnvironmentUnlessAnotherIsNamed) {
    const std::string credentials = credential(3);
    ASSERT_EQ(0, ::setenv("CREDENTIALS_DIRECTORY", credentials.c_str(), 1));
    EXPECT_EQ(KeyPlan::Source::credential, readHostKeys(paths(), log).plan.source);
    EXPECT_EQ(KeyPlan::Source::none, read().plan.source);
    ASSERT_EQ(0, ::unsetenv("CREDENTIALS_DIRECTORY"));
    EXPECT_EQ(KeyPlan::Source::none, readHostKeys(paths(), log).plan.source);
}

} // namespace
} // namespace keyhold
