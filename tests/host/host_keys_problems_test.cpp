// SPDX-License-Identifier: LGPL-2.1-or-later
// What is wrong with settings and keys affects what needs it, and nothing else.
#include "host/host_keys.h"

#include "conf/raised.h"
#include "host/host_fixture.h"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace keyhold {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class HostKeysFailureTest : public WithHost {
  protected:
    HostKeys readWith(const std::string &text, const char *credentials = nullptr) {
        configure(text);
        log.lines.clear();
        return readHostKeys(paths(), credentials, log);
    }
    /// As above, where key 1 is named, and 2 as an earlier one.
    HostKeys readWithKeysAnd(const std::string &text) {
        return readWith("secrets_encryption_key = \"" + keyFile(1) +
                        "\"\nsecrets_decryption_keys = [ \"" + keyFile(2) + "\" ]\n" + text);
    }
    static std::string refusalOf(const HostKeys &keys) {
        const auto raised = raisedBy([&] { static_cast<void>(keys.policy->formatOfNew()); });
        return raised ? raised->text : "none";
    }
    static bool opens(const HostKeys &keys, std::uint8_t seed) {
        return keys.policy->keyring().find(keyIdOf(seed)) != nullptr;
    }
    /// A line of the log, and the text of an error, that leave nothing to ask.
    [[nodiscard]] auto reports(const std::string &failure) const {
        return AllOf(HasSubstr("'" + settingsFile() + "'"), HasSubstr(failure),
                     HasSubstr("put it right and reload"));
    }
};

TEST_F(HostKeysFailureTest, AFileThatDoesNotParseMayAskForAnything) {
    const HostKeys keys = readWithKeysAnd("= = garbage\n");
    EXPECT_TRUE(keys.policy->keyring().keys().empty());
    EXPECT_THAT(refusalOf(keys), reports("cannot be used"));
    EXPECT_THAT(log.lines, ElementsAre(reports("cannot be used")));
}

TEST_F(HostKeysFailureTest, ABadEncryptDataKeepsValuesFromBeingWritten) {
    for (const std::string bad : {"\"yes\"", "2"}) {
        const HostKeys keys =
            readWithKeysAnd("encrypt_data = " + bad + "\nseal_existing = 1\nunseal_existing = 1\n");
        EXPECT_THAT(refusalOf(keys), reports("'encrypt_data' is not 0 or 1"));
        EXPECT_TRUE(opens(keys, 1));
        EXPECT_TRUE(opens(keys, 2));
        EXPECT_FALSE(keys.policy->rules().convertExisting);
        EXPECT_THAT(log.lines, ElementsAre(reports("'encrypt_data' is not 0 or 1")));
    }
}

TEST_F(HostKeysFailureTest, ABadEncryptDataAloneMissesNoKey) {
    const HostKeys keys = readWith("encrypt_data = \"yes\"\n");
    EXPECT_THAT(refusalOf(keys), reports("'encrypt_data' is not 0 or 1"));
    EXPECT_THAT(log.lines, ElementsAre(reports("'encrypt_data' is not 0 or 1")));
}

TEST_F(HostKeysFailureTest, ABadKeyKeepsValuesFromBeingWrittenAndOthersOpen) {
    put("credentials/secrets-encryption-key", std::string(Key::kSize, '\3'));
    const std::string credentials = directory.path() + "/credentials";
    const HostKeys keys = readWith("secrets_encryption_key = \"key\"\n"
                                   "secrets_decryption_keys = [ \"" +
                                       keyFile(2) + "\" ]\n",
                                   credentials.c_str());
    const auto told = reports("'secrets_encryption_key' is not an absolute path");
    EXPECT_THAT(refusalOf(keys), told);
    EXPECT_EQ(nullptr, keys.policy->keyring().current());
    EXPECT_TRUE(opens(keys, 2));
    EXPECT_TRUE(opens(keys, 3));
    EXPECT_THAT(keys.policy->keyring().missing(), told);
    EXPECT_THAT(log.lines, ElementsAre(told));
}

TEST_F(HostKeysFailureTest, ABadKeyDecidesNothingWhereEncryptionIsOff) {
    const HostKeys keys = readWith("encrypt_data = 0\nsecrets_encryption_key = 5\n");
    EXPECT_EQ(ValueFormat::plain, keys.policy->formatOfNew());
    EXPECT_THAT(keys.policy->keyring().missing(), reports("'secrets_encryption_key'"));
    EXPECT_THAT(log.lines, ElementsAre(reports("'secrets_encryption_key' is not a string")));
}

TEST_F(HostKeysFailureTest, ABadEntryAmongEarlierKeysLosesThatKey) {
    const HostKeys keys =
        readWith("secrets_encryption_key = \"" + keyFile(1) +
                 "\"\nsecrets_decryption_keys = [ \"b\", \"" + keyFile(2) + "\" ]\n");
    EXPECT_EQ("none", refusalOf(keys));
    EXPECT_EQ(keyIdOf(1), keys.policy->keyring().current()->id());
    EXPECT_TRUE(opens(keys, 2));
    const auto told = reports("entry 1 of 'secrets_decryption_keys' is not an absolute path");
    EXPECT_THAT(keys.policy->keyring().missing(), told);
    EXPECT_THAT(log.lines, ElementsAre(told));
}

TEST_F(HostKeysFailureTest, AnEntryThatIsNoStringLosesThatKey) {
    const HostKeys keys = readWith("encrypt_data = 0\nsecrets_decryption_keys = [ 5, \"" +
                                   keyFile(2) + "\", [ \"" + keyFile(1) + "\" ] ]\n");
    EXPECT_TRUE(opens(keys, 2));
    EXPECT_FALSE(opens(keys, 1));
    EXPECT_THAT(log.lines,
                ElementsAre(reports("entry 1 of 'secrets_decryption_keys' is not a string"),
                            reports("entry 3 of 'secrets_decryption_keys' is not a string")));
}

TEST_F(HostKeysFailureTest, ANumberBeyondItsRangeIsNeitherOnNorOff) {
    for (const std::string number : {"18446744073709551616", "18446744073709551617", "2", "-0"}) {
        const HostKeys keys = readWithKeysAnd("encrypt_data = " + number + "\n");
        EXPECT_THAT(refusalOf(keys), HasSubstr("put it right and reload")) << number;
    }
    EXPECT_EQ("none", refusalOf(readWithKeysAnd("encrypt_data = +01\n")));
}

TEST_F(HostKeysFailureTest, WhatDoesNotCountIsTold) {
    const HostKeys keys = readWith("encrypt_data = 0\nsecret_encryption_key = \"/k\"\n"
                                   "encrypt_data = 1\n");
    EXPECT_EQ("none", refusalOf(keys));
    EXPECT_THAT(log.lines,
                ElementsAre("warning: '" + settingsFile() +
                                "': line 2: 'secret_encryption_key' is no setting, and does not "
                                "count; did you mean 'secrets_encryption_key'?",
                            "warning: '" + settingsFile() +
                                "': line 3: 'encrypt_data' does not count, because line 1 has set "
                                "it; remove one of them"));
}

TEST_F(HostKeysFailureTest, AKeyThatWasPastedIsNotShown) {
    const std::string base64 = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    for (const std::string &pasted : {base64, "/" + base64.substr(1), "/MDE/" + base64.substr(5)}) {
        const std::string quoted = '"' + pasted + '"';
        for (const std::string &text :
             {"secrets_encryption_key = " + quoted + "\n",
              "encrypt_data = 0\nsecrets_encryption_key = " + quoted + "\n",
              "secrets_decryption_keys = [ " + quoted + " ]\n", "key_memory = " + quoted + "\n",
              "encrypt_data = " + quoted + "\n", "secrets_encryption_key = " + pasted + "\n",
              pasted + "\n"}) {
            const HostKeys keys = readWith(text);
            ASSERT_THAT(log.lines, testing::SizeIs(1)) << text;
            EXPECT_THAT(log.lines[0],
                        AllOf(HasSubstr("'" + settingsFile() + "'"), HasSubstr("reload")));
            for (const std::string &told :
                 {log.lines[0], refusalOf(keys), keys.policy->keyring().missing()})
                EXPECT_THAT(told, testing::Not(HasSubstr("Njc4OTAx"))) << text;
        }
    }
}

TEST_F(HostKeysFailureTest, ABadWordAboutStoredValuesLeavesThemAsTheyAre) {
    const HostKeys sealing = readWithKeysAnd("seal_existing = \"1\"\n");
    EXPECT_EQ(ValueFormat::jwe, sealing.policy->formatOfNew());
    EXPECT_FALSE(sealing.policy->rules().convertExisting);
    EXPECT_THAT(log.lines, ElementsAre(reports("'seal_existing' is not 0 or 1")));
    const HostKeys plain = readWithKeysAnd("encrypt_data = 0\nunseal_existing = \"1\"\n");
    EXPECT_EQ(ValueFormat::plain, plain.policy->formatOfNew());
    EXPECT_FALSE(plain.policy->rules().convertExisting);
    EXPECT_THAT(log.lines, ElementsAre(reports("'unseal_existing' is not 0 or 1")));
}

TEST_F(HostKeysFailureTest, ABadKeyMemoryIsAuto) {
    const HostKeys keys = readWithKeysAnd("key_memory = \"anywhere\"\n");
    EXPECT_EQ(KeyMemoryChoice::automatic, keys.settings.keyMemory);
    EXPECT_EQ(keyIdOf(1), keys.policy->keyring().current()->id());
    EXPECT_THAT(log.lines,
                ElementsAre(AllOf(reports("'key_memory' is not"), HasSubstr("\"auto\" is taken"))));
}

TEST_F(HostKeysFailureTest, ABadPlainValuesIsAccept) {
    const HostKeys keys = readWithKeysAnd("plain_values = \"refused\"\n");
    EXPECT_FALSE(keys.policy->rules().refusesPlain);
    EXPECT_EQ(keyIdOf(1), keys.policy->keyring().current()->id());
    EXPECT_THAT(log.lines, ElementsAre(AllOf(reports("'plain_values' is not"),
                                             HasSubstr("\"accept\" is taken"))));
}

TEST_F(HostKeysFailureTest, AKeyThatIsNotThereIsTold) {
    const HostKeys keys = readWith("secrets_encryption_key = \"/nowhere/key\"\n");
    EXPECT_THAT(refusalOf(keys), HasSubstr("key file '/nowhere/key'"));
    EXPECT_THAT(log.lines,
                ElementsAre(StartsWith("error: new values cannot be stored: cannot open")));
    const HostKeys off = readWith("encrypt_data = 0\nsecrets_encryption_key = \"/nowhere/key\"\n");
    EXPECT_EQ("none", refusalOf(off));
    EXPECT_THAT(log.lines,
                ElementsAre(StartsWith("error: values under the key cannot be read: cannot open")));
}

TEST_F(HostKeysFailureTest, AKeyThatOthersReadIsNotSaidToOpenNothing) {
    const std::string file = keyFile(1);
    ::chmod(file.c_str(), 0644);
    const HostKeys keys = readWith("encrypt_data = 0\nsecrets_encryption_key = \"" + file + "\"\n");
    EXPECT_EQ(keyIdOf(1), keys.policy->keyring().primary()->id());
    EXPECT_THAT(log.lines, ElementsAre(AllOf(StartsWith("warning: key file '"),
                                             HasSubstr("can be read by everybody"))));
}

TEST_F(HostKeysFailureTest, AnEarlierKeyThatIsNotThereLeavesTheOthers) {
    const HostKeys keys =
        readWith("secrets_encryption_key = \"" + keyFile(1) +
                 "\"\nsecrets_decryption_keys = [ \"/nowhere/key\", \"" + keyFile(2) + "\" ]\n");
    EXPECT_EQ("none", refusalOf(keys));
    EXPECT_TRUE(opens(keys, 2));
    EXPECT_THAT(keys.policy->keyring().missing(), HasSubstr("/nowhere/key"));
    EXPECT_THAT(log.lines, ElementsAre(StartsWith(
                               "error: values under an earlier key cannot be read: cannot")));
}

TEST_F(HostKeysFailureTest, AKeyThatOthersKnowOpensAndDoesNotSeal) {
    ASSERT_EQ(0, ::chmod(keyFile(1).c_str(), 0644));
    const HostKeys keys = readWith("secrets_encryption_key = \"" + directory.path() + "/key-1\"\n");
    EXPECT_THAT(refusalOf(keys), HasSubstr("can be read by everybody"));
    EXPECT_TRUE(opens(keys, 1));
    EXPECT_EQ(1U, log.lines.size());
}

} // namespace
} // namespace keyhold
