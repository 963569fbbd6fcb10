// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/settings.h"

#include <map>
#include <string>
#include <variant>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

using Statements = std::vector<ConfStatement>;
using List = std::vector<std::optional<std::string>>;
using Value = std::variant<bool, std::string, List>;

Statements settingsIn(const std::map<std::string, Value> &values) {
    Statements statements;
    for (const auto &[name, value] : values) {
        ConfStatement &statement = statements.emplace_back();
        statement.name = name;
        if (const auto *boolean = std::get_if<bool>(&value))
            statement.number = *boolean ? "1" : "0";
        else if (const auto *text = std::get_if<std::string>(&value))
            statement.text = *text;
        else
            statement.list = std::get<List>(value);
    }
    return statements;
}

std::map<std::string, Value> one(const char *name, Value value) {
    return {{name, std::move(value)}};
}

using Of = SettingProblem::Of;

/// That `values` are as `expected`, but for problems of one setting, of which each text has one of
/// `parts` in it.
void expectProblem(const Statements &values, Settings expected, Of setting,
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
    const Settings settings = readSettings(settingsIn({}));
    EXPECT_EQ(Settings(), settings);
    EXPECT_FALSE(settings.encryptData);
    EXPECT_FALSE(settings.secretsEncryptionKey);
    EXPECT_FALSE(settings.sealExisting);
    EXPECT_EQ(KeyMemoryChoice::automatic, settings.keyMemory);
}

TEST(SettingsTest, ReadsAllOfThem) {
    const Settings settings = readSettings(settingsIn({
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

TEST(SettingsTest, ABooleanIsZeroOrOne) {
    const auto read = [](const std::string &number) {
        return readSettings(scanConf("encrypt_data = " + number + "\n"));
    };
    for (const char *zero : {"0", "+0", "000"})
        EXPECT_EQ(false, read(zero).encryptData) << zero;
    for (const char *one : {"1", "+1", "0000000000000000000000000001"})
        EXPECT_EQ(true, read(one).encryptData) << one;
    for (const char *other : {"2", "-0", "-1", "10", "4294967297", "18446744073709551616", "'1'"}) {
        EXPECT_EQ(std::nullopt, read(other).encryptData) << other;
        EXPECT_TRUE(read(other).hasProblem(Of::encryptData)) << other;
    }
}

TEST(SettingsTest, KeyMemoryIsOneOfThreeWords) {
    EXPECT_EQ(KeyMemoryChoice::automatic,
              readSettings(settingsIn(one("key_memory", "auto"))).keyMemory);
    EXPECT_EQ(KeyMemoryChoice::secretmem,
              readSettings(settingsIn(one("key_memory", "secretmem"))).keyMemory);
    for (const std::string word : {"", "Auto", "secret", "locked "})
        expectProblem(settingsIn(one("key_memory", word)), {}, Of::keyMemory,
                      {"'key_memory' is not \"auto\", \"secretmem\" or \"locked\""});
}

TEST(SettingsTest, PlainValuesIsOneOfTwoWords) {
    EXPECT_EQ(PlainValues::accept,
              readSettings(settingsIn(one("plain_values", "accept"))).plainValues);
    EXPECT_EQ(PlainValues::refuse,
              readSettings(settingsIn(one("plain_values", "refuse"))).plainValues);
    for (const std::string word : {"", "refused", "Refuse"})
        expectProblem(settingsIn(one("plain_values", word)), {}, Of::plainValues,
                      {"'plain_values' is not \"accept\" or \"refuse\""});
}

TEST(SettingsTest, PathsAreAbsolute) {
    for (const std::string path : {"", "key", "./key", "~/key"}) {
        expectProblem(settingsIn(one("secrets_encryption_key", path)), {}, Of::secretsEncryptionKey,
                      {"'secrets_encryption_key' is not an absolute path"});
        Settings others;
        others.secretsDecryptionKeys = {"/good", "/too"};
        expectProblem(settingsIn(one("secrets_decryption_keys", List{"/good", path, "/too", "b"})),
                      others, Of::secretsDecryptionKeys,
                      {"entry 2 of 'secrets_decryption_keys' is not an absolute path",
                       "entry 4 of 'secrets_decryption_keys' is not an absolute path"});
    }
}

TEST(SettingsTest, AnEntryThatIsNoStringCostsThatEntry) {
    Settings others;
    others.secretsDecryptionKeys = {"/good"};
    expectProblem(
        settingsIn(one("secrets_decryption_keys", List{std::nullopt, "/good", std::nullopt})),
        others, Of::secretsDecryptionKeys,
        {"entry 1 of 'secrets_decryption_keys' is not a string",
         "entry 3 of 'secrets_decryption_keys' is not a string"});
}

TEST(SettingsTest, NoTextQuotesAValue) {
    const std::string pasted = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    const Settings settings = readSettings(settingsIn({
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

const std::map<std::string, Value> kGood = {
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
        Value bad;
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
    const Settings good = readSettings(settingsIn(kGood));
    EXPECT_TRUE(good.problems.empty());
    for (const Case &each : cases) {
        auto values = kGood;
        values[each.name] = each.bad;
        Settings expected = good;
        each.leaveOut(expected);
        EXPECT_NE(good, expected) << each.name;
        expectProblem(settingsIn(values), expected, each.setting, {each.name});
    }
}

TEST(SettingsTest, EachProblemIsTold) {
    const Settings settings = readSettings(settingsIn({
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

TEST(SettingsTest, AuditIsOffUntilItIsAskedFor) {
    EXPECT_FALSE(readSettings(settingsIn({})).audit);
    EXPECT_FALSE(readSettings(settingsIn(one("audit", false))).audit);
    EXPECT_TRUE(readSettings(settingsIn(one("audit", true))).audit);
}

TEST(SettingsTest, AuditSettingsAreRead) {
    const Settings settings = readSettings(settingsIn(
        {{"audit_file", "/log/a"}, {"audit_sync", false}, {"audit_on_failure", "continue"}}));
    EXPECT_EQ("/log/a", settings.auditFile);
    EXPECT_FALSE(settings.auditSync);
    EXPECT_EQ(AuditOnFailure::proceed, settings.auditOnFailure);
    EXPECT_EQ(AuditOnFailure::refuse,
              readSettings(settingsIn(one("audit_on_failure", "refuse"))).auditOnFailure);
    EXPECT_EQ(AuditOnFailure::refuseClients,
              readSettings(settingsIn(one("audit_on_failure", "refuse-clients"))).auditOnFailure);
}

TEST(SettingsTest, AnAuditSettingThatIsNotUnderstoodAsksForARecord) {
    Settings recorded;
    recorded.audit = true;
    expectProblem(settingsIn(one("audit", "yes")), recorded, Of::audit, {"'audit' is not 0 or 1"});
    expectProblem(settingsIn(one("audit_sync", "no")), {}, Of::auditSync,
                  {"'audit_sync' is not 0 or 1"});
    expectProblem(settingsIn(one("audit_file", "audit.jsonl")), {}, Of::auditFile,
                  {"'audit_file' is not an absolute path"});
    expectProblem(settingsIn(one("audit_on_failure", "proceed")), {}, Of::auditOnFailure,
                  {"'audit_on_failure' is not \"refuse-clients\", \"refuse\" or \"continue\""});
}

} // namespace
} // namespace keyhold
