// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/settings.h"

#include "conf/error.h"

#include <map>
#include <string>
#include <variant>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

using List = ConfValues::List;

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

using Of = SettingProblem::Of;

/// That `values` are as `expected`, but for problems of one setting, of which each text has one of
/// `parts` in it.
void expectProblem(const Values &values, Settings expected, Of setting,
                   const std::vector<std::string> &parts) {
    Settings settings = readSettings(values);
    ASSERT_EQ(parts.size(), settings.problems.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        EXPECT_EQ(setting, settings.problems[i].setting);
        EXPECT_NE(std::string::npos, settings.problems[i].text.find(parts[i]))
            << settings.problems[i].text;
    }
    EXPECT_TRUE(settings.hasProblem(setting));
    settings.problems.clear();
    EXPECT_EQ(expected, settings);
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
    EXPECT_EQ((std::vector<std::string>{"/k/old", "/k/older"}), settings.secretsDecryptionKeys);
    EXPECT_TRUE(settings.sealExisting);
    EXPECT_EQ(KeyMemoryChoice::locked, settings.keyMemory);
}

TEST(SettingsTest, KeyMemoryIsOneOfThreeWords) {
    EXPECT_EQ(KeyMemoryChoice::automatic,
              readSettings(Values(one("key_memory", "auto"))).keyMemory);
    EXPECT_EQ(KeyMemoryChoice::secretmem,
              readSettings(Values(one("key_memory", "secretmem"))).keyMemory);
    for (const std::string word : {"", "Auto", "secret", "locked "})
        expectProblem(Values(one("key_memory", word)), {}, Of::keyMemory,
                      {"'key_memory' is not \"auto\", \"secretmem\" or \"locked\""});
}

TEST(SettingsTest, PlainValuesIsOneOfTwoWords) {
    EXPECT_EQ(PlainValues::accept, readSettings(Values(one("plain_values", "accept"))).plainValues);
    EXPECT_EQ(PlainValues::refuse, readSettings(Values(one("plain_values", "refuse"))).plainValues);
    for (const std::string word : {"", "refused", "Refuse"})
        expectProblem(Values(one("plain_values", word)), {}, Of::plainValues,
                      {"'plain_values' is not \"accept\" or \"refuse\""});
}

TEST(SettingsTest, PathsAreAbsolute) {
    for (const std::string path : {"", "key", "./key", "~/key"}) {
        expectProblem(Values(one("secrets_encryption_key", path)), {}, Of::secretsEncryptionKey,
                      {"'secrets_encryption_key' is not an absolute path"});
        Settings others;
        others.secretsDecryptionKeys = {"/good", "/too"};
        expectProblem(Values(one("secrets_decryption_keys", List{"/good", path, "/too", "b"})),
                      others, Of::secretsDecryptionKeys,
                      {"entry 2 of 'secrets_decryption_keys' is not an absolute path",
                       "entry 4 of 'secrets_decryption_keys' is not an absolute path"});
    }
}

TEST(SettingsTest, AnEntryThatIsNoStringCostsThatEntry) {
    Settings others;
    others.secretsDecryptionKeys = {"/good"};
    expectProblem(Values(one("secrets_decryption_keys", List{std::nullopt, "/good", std::nullopt})),
                  others, Of::secretsDecryptionKeys,
                  {"entry 1 of 'secrets_decryption_keys' is not a string",
                   "entry 3 of 'secrets_decryption_keys' is not a string"});
}

TEST(SettingsTest, NoTextQuotesAValue) {
    const std::string pasted = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    const Settings settings = readSettings(Values({
        {"secrets_encryption_key", pasted},
        {"secrets_decryption_keys", List{pasted}},
        {"key_memory", pasted},
        {"plain_values", pasted},
    }));
    ASSERT_EQ(4U, settings.problems.size());
    for (const SettingProblem &problem : settings.problems)
        EXPECT_EQ(std::string::npos, problem.text.find("MDEy")) << problem.text;
}

TEST(SettingsTest, WhatDoesNotCountIsTold) {
    EXPECT_EQ(std::vector<std::string>(),
              ignoredStatements(scanConf("encrypt_data = 1\n"
                                         "secrets_encryption_key = ''\n"
                                         "secrets_decryption_keys = []\n"
                                         "seal_existing = 1\n"
                                         "unseal_existing = 1\n"
                                         "key_memory = 'auto'\n"
                                         "plain_values = 'refuse'\n")));
    EXPECT_EQ((std::vector<std::string>{
                  "line 2: 'encrypt_date' is no setting, and does not count; did you mean "
                  "'encrypt_data'?",
                  "line 3: 'encrypt_data' does not count, because line 1 has set it; remove one of "
                  "them",
                  "line 4: a name of 32 characters is no setting, and does not count; correct its "
                  "name, or remove it"}),
              ignoredStatements(scanConf("encrypt_data = 0\nencrypt_date = 1\nencrypt_data = 1\n" +
                                         std::string(32, 'M') + " = 1\n")));
}

const std::map<std::string, Values::Value> kGood = {
    {"encrypt_data", true},
    {"secrets_encryption_key", "/k/new"},
    {"secrets_decryption_keys", List{"/k/old"}},
    {"seal_existing", true},
    {"unseal_existing", true},
    {"key_memory", "locked"},
};

TEST(SettingsTest, AnotherTypeIsAProblemOfThatSettingAlone) {
    struct Case {
        const char *name;
        Values::Value bad;
        Of setting;
        void (*leaveOut)(Settings &);
    };
    const Case cases[] = {
        {"encrypt_data", "1", Of::encryptData, [](Settings &s) { s.encryptData.reset(); }},
        {"secrets_encryption_key", true, Of::secretsEncryptionKey,
         [](Settings &s) { s.secretsEncryptionKey.reset(); }},
        {"secrets_decryption_keys", true, Of::secretsDecryptionKeys,
         [](Settings &s) { s.secretsDecryptionKeys.clear(); }},
        {"seal_existing", "yes", Of::sealExisting, [](Settings &s) { s.sealExisting = false; }},
        {"unseal_existing", List{}, Of::unsealExisting,
         [](Settings &s) { s.unsealExisting = false; }},
        {"key_memory", false, Of::keyMemory,
         [](Settings &s) { s.keyMemory = KeyMemoryChoice::automatic; }},
    };
    const Settings good = readSettings(Values(kGood));
    EXPECT_TRUE(good.problems.empty());
    for (const Case &each : cases) {
        auto values = kGood;
        values[each.name] = each.bad;
        Settings expected = good;
        each.leaveOut(expected);
        EXPECT_NE(good, expected) << each.name;
        expectProblem(Values(values), expected, each.setting, {each.name});
    }
}

TEST(SettingsTest, EachProblemIsTold) {
    const Settings settings = readSettings(Values({
        {"encrypt_data", "1"},
        {"secrets_encryption_key", "key"},
        {"seal_existing", true},
        {"key_memory", "anywhere"},
    }));
    ASSERT_EQ(3U, settings.problems.size());
    EXPECT_TRUE(settings.hasProblem(Of::encryptData));
    EXPECT_TRUE(settings.hasProblem(Of::secretsEncryptionKey));
    EXPECT_TRUE(settings.hasProblem(Of::keyMemory));
    EXPECT_FALSE(settings.hasProblem(Of::sealExisting));
    EXPECT_TRUE(settings.sealExisting);
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
        const KeyPlan plan =
            planKey(settings, wanted.hasCredential ? "/cred" : "", [] { return "/built-in"; });
        EXPECT_EQ((KeyPlan{wanted.encrypt, false, wanted.source, wanted.path, {"/old"}}), plan)
            << &wanted - kPlans;
    }
}

KeyPlan planWith(Settings settings, std::vector<Of> problems, const char *credential = "") {
    for (const Of problem : problems)
        settings.problems.push_back({problem, "text"});
    return planKey(settings, credential, [] { return "/built-in"; });
}

TEST(KeyPlanTest, WhereEncryptionIsInDoubtTheKeysOnlyOpen) {
    using Source = KeyPlan::Source;
    Settings named;
    named.secretsEncryptionKey = "/set";
    EXPECT_EQ((KeyPlan{true, true, Source::setting, "/set", {}}),
              planWith(named, {Of::encryptData}));
    EXPECT_EQ((KeyPlan{true, true, Source::credential, "/cred", {}}),
              planWith({}, {Of::encryptData}, "/cred"));
    EXPECT_EQ((KeyPlan{true, true, Source::builtIn, "/built-in", {}}),
              planWith({}, {Of::encryptData}));
}

TEST(KeyPlanTest, WhereTheKeyIsInDoubtNoOtherSeals) {
    using Source = KeyPlan::Source;
    for (const std::optional<bool> encrypt : {std::optional<bool>(), std::optional(true)}) {
        Settings settings;
        settings.encryptData = encrypt;
        EXPECT_EQ((KeyPlan{true, true, Source::none, "", {}}),
                  planWith(settings, {Of::secretsEncryptionKey}));
        EXPECT_EQ((KeyPlan{true, true, Source::credential, "/cred", {}}),
                  planWith(settings, {Of::secretsEncryptionKey}, "/cred"));
    }
    Settings off;
    off.encryptData = false;
    EXPECT_EQ((KeyPlan{false, false, Source::none, "", {}}),
              planWith(off, {Of::secretsEncryptionKey}));
}

TEST(KeyPlanTest, OtherProblemsLeaveThePlanAsItIs) {
    Settings settings;
    settings.secretsEncryptionKey = "/set";
    EXPECT_EQ(planWith(settings, {}),
              planWith(settings, {Of::secretsDecryptionKeys, Of::sealExisting, Of::unsealExisting,
                                  Of::keyMemory}));
}

} // namespace
} // namespace keyhold
