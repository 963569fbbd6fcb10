// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/settings.h"

#include "conf/error.h"

#include <map>
#include <string>
#include <variant>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

using List = std::vector<std::string>;

class Values final : public ConfValues {
  public:
    using Value = std::variant<bool, std::string, List>;
    explicit Values(std::map<std::string, Value> values) : values_(std::move(values)) {}

    [[nodiscard]] std::optional<bool> boolean(const char *name) const override {
        return get<bool>(name);
    }
    [[nodiscard]] std::optional<std::string> string(const char *name) const override {
        return get<std::string>(name);
    }
    [[nodiscard]] std::optional<List> list(const char *name) const override {
        return get<List>(name);
    }

  private:
    template <typename Type>
    std::optional<Type> get(const char *name) const {
        const auto found = values_.find(name);
        if (found == values_.end())
            return std::nullopt;
        if (!std::holds_alternative<Type>(found->second))
            throw Error(ErrorCode::configUnsupported, name);
        return std::get<Type>(found->second);
    }

    std::map<std::string, Value> values_;
};

std::map<std::string, Values::Value> one(const char *name, Values::Value value) {
    return {{name, std::move(value)}};
}

std::string messageOf(const Values &values) {
    try {
        (void)readSettings(values);
    } catch (const Error &error) {
        EXPECT_EQ(ErrorCode::configUnsupported, error.code());
        return error.message();
    }
    return "no error";
}

TEST(SettingsTest, WithoutAnySettingAllIsDefault) {
    const Settings settings = readSettings(Values({}));
    EXPECT_EQ(Settings(), settings);
    EXPECT_FALSE(settings.encryptData);
    EXPECT_FALSE(settings.secretsEncryptionKey);
    EXPECT_FALSE(settings.sealExisting);
    EXPECT_EQ(KeyMemoryChoice::automatic, settings.keyMemory);
}

TEST(SettingsTest, ReadsAllOfThem) {
    const Settings settings = readSettings(Values({
        {"encrypt_data", true},
        {"secrets_encryption_key", "/k/new"},
        {"secrets_decryption_keys", List{"/k/old", "/k/older"}},
        {"seal_existing", true},
        {"key_memory", "locked"},
        {"unknown", List{}},
    }));
    EXPECT_EQ(true, settings.encryptData);
    EXPECT_EQ("/k/new", settings.secretsEncryptionKey);
    EXPECT_EQ((List{"/k/old", "/k/older"}), settings.secretsDecryptionKeys);
    EXPECT_TRUE(settings.sealExisting);
    EXPECT_EQ(KeyMemoryChoice::locked, settings.keyMemory);
}

TEST(SettingsTest, KeyMemoryIsOneOfThreeWords) {
    EXPECT_EQ(KeyMemoryChoice::automatic,
              readSettings(Values(one("key_memory", "auto"))).keyMemory);
    EXPECT_EQ(KeyMemoryChoice::secretmem,
              readSettings(Values(one("key_memory", "secretmem"))).keyMemory);
    for (const std::string word : {"", "Auto", "secret", "locked "})
        EXPECT_NE(std::string::npos,
                  messageOf(Values(one("key_memory", word))).find("'key_memory'"));
}

TEST(SettingsTest, PathsAreAbsolute) {
    for (const std::string path : {"", "key", "./key", "~/key"}) {
        EXPECT_NE(std::string::npos, messageOf(Values(one("secrets_encryption_key", path)))
                                         .find("'secrets_encryption_key' names '" + path + "'"));
        EXPECT_NE(std::string::npos,
                  messageOf(Values(one("secrets_decryption_keys", List{"/good", path})))
                      .find("'secrets_decryption_keys' names '" + path + "'"));
    }
}

TEST(SettingsTest, AnotherTypeIsAnError) {
    EXPECT_EQ("encrypt_data", messageOf(Values(one("encrypt_data", "1"))));
    EXPECT_EQ("secrets_encryption_key", messageOf(Values(one("secrets_encryption_key", true))));
    EXPECT_EQ("secrets_decryption_keys", messageOf(Values(one("secrets_decryption_keys", true))));
    EXPECT_EQ("seal_existing", messageOf(Values(one("seal_existing", "yes"))));
    EXPECT_EQ("key_memory", messageOf(Values(one("key_memory", false))));
}

struct PlanCase {
    std::optional<bool> encryptData;
    bool hasSetting;
    bool hasCredential;
    bool encrypt;
    KeyPlan::Source source;
    std::string path;
};

// Each line but those with encrypt_data = 0 is what libvirt 12.8.0 was seen to do; with it, libvirt
// uses no key at all, and this driver reads with the one that is named.
const PlanCase kPlans[] = {
    {{}, false, false, false, KeyPlan::Source::none, ""},
    {{}, true, false, true, KeyPlan::Source::setting, "/set"},
    {{}, false, true, true, KeyPlan::Source::credential, "/cred"},
    {{}, true, true, true, KeyPlan::Source::setting, "/set"},
    {true, false, false, true, KeyPlan::Source::builtIn, "/built-in"},
    {true, true, false, true, KeyPlan::Source::setting, "/set"},
    {true, false, true, true, KeyPlan::Source::credential, "/cred"},
    {true, true, true, true, KeyPlan::Source::setting, "/set"},
    {false, false, false, false, KeyPlan::Source::none, ""},
    {false, true, false, false, KeyPlan::Source::setting, "/set"},
    {false, false, true, false, KeyPlan::Source::credential, "/cred"},
    {false, true, true, false, KeyPlan::Source::setting, "/set"},
};

TEST(KeyPlanTest, FollowsLibvirt) {
    for (const PlanCase &wanted : kPlans) {
        Settings settings;
        settings.encryptData = wanted.encryptData;
        if (wanted.hasSetting)
            settings.secretsEncryptionKey = "/set";
        settings.secretsDecryptionKeys = {"/old"};
        const KeyPlan plan = planKey(settings, wanted.hasCredential ? "/cred" : "", "/built-in");
        EXPECT_EQ((KeyPlan{wanted.encrypt, wanted.source, wanted.path, {"/old"}}), plan)
            << &wanted - kPlans;
    }
}

TEST(KeyPlanTest, TheCredentialIsWhereSystemdPutsIt) {
    EXPECT_EQ("", credentialPathIn(nullptr));
    EXPECT_EQ("/run/credentials/libvirtd.service/secrets-encryption-key",
              credentialPathIn("/run/credentials/libvirtd.service"));
}

} // namespace
} // namespace keyhold
