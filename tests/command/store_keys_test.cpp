// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/store_keys.h"
#include "command/store_on_disk.h"
#include "conf/error.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace keyhold::command {
namespace {

TEST(StoreKeys, AreThoseOfSecretConfAndTheCommandLine) {
    const StoreOnDisk store;
    store.configure(store.keyLine(1) + "secrets_decryption_keys = [ \"" + store.keyFile(2) +
                    "\" ]\n");
    const StoreKeys keys = readStoreKeys(store.target(), std::nullopt, {store.keyFile(3)});
    const Keyring &keyring = keys.host.policy->keyring();
    ASSERT_NE(keyring.current(), nullptr);
    EXPECT_EQ(keyring.current()->id(), keyIdOf(1));
    EXPECT_NE(keyring.find(keyIdOf(2)), nullptr);
    EXPECT_NE(keyring.find(keyIdOf(3)), nullptr);
    EXPECT_TRUE(keys.host.policy->rules().mustSeal);
    EXPECT_TRUE(keys.findings.empty());
}

TEST(StoreKeys, OfTheHoldersCredential) {
    const StoreOnDisk store;
    const std::string directory = store.root() + "/credentials";
    std::filesystem::create_directory(directory);
    std::filesystem::copy(store.keyFile(4), directory + "/secrets-encryption-key");
    Holder holder;
    holder.credentialsDirectory = directory;
    const StoreKeys keys = readStoreKeys(store.target(), holder);
    ASSERT_NE(keys.host.policy->keyring().current(), nullptr);
    EXPECT_EQ(keys.host.policy->keyring().current()->id(), keyIdOf(4));
}

TEST(StoreKeys, ProblemInSecretConfIsAFinding) {
    const StoreOnDisk store;
    store.configure("secrets_encryption_key = \"/nowhere/key\"\n");
    const StoreKeys keys = readStoreKeys(store.target(), std::nullopt);
    ASSERT_EQ(keys.findings.size(), 1u);
    EXPECT_NE(keys.findings[0].text.find("/nowhere/key"), std::string::npos);
}

TEST(StoreKeys, WhatDoesNotCountComesAfterWhyAKeyIsMissing) {
    const StoreOnDisk store;
    store.configure("not_a_setting = 1\nsecrets_encryption_key = \"/nowhere/key\"\n");
    const StoreKeys keys = readStoreKeys(store.target(), std::nullopt);
    ASSERT_EQ(keys.findings.size(), 2u);
    EXPECT_NE(keys.findings[0].text.find("/nowhere/key"), std::string::npos);
    EXPECT_NE(keys.findings[1].text.find("not_a_setting"), std::string::npos);
}

TEST(StoreKeys, AnEarlierKeyThatOthersReadIsAFinding) {
    const StoreOnDisk store;
    store.configure("secrets_decryption_keys = [ \"" + store.keyFile(2) + "\" ]\n");
    EXPECT_TRUE(readStoreKeys(store.target(), std::nullopt).findings.empty());
    ::chmod(store.keyFile(2).c_str(), 0644);
    const StoreKeys keys = readStoreKeys(store.target(), std::nullopt);
    ASSERT_EQ(keys.findings.size(), 1u);
    EXPECT_NE(keys.findings[0].text.find("chmod"), std::string::npos);
}

TEST(StoreKeys, AProblemOnTheCommandLineIsRaised) {
    const StoreOnDisk store;
    EXPECT_THROW(static_cast<void>(readStoreKeys(store.target(), std::nullopt, {"/nowhere/key"})),
                 Error);
}

TEST(StoreKeys, StayTheSameUnderOtherRules) {
    const auto policy = withRules(*policyOf(1, {2}), {true, true, {}});
    EXPECT_EQ(policy->keyring().current()->id(), keyIdOf(1));
    EXPECT_EQ(policy->keyring().keys().size(), 2u);
    EXPECT_TRUE(policy->rules().convertExisting);
    EXPECT_EQ(withRules(*policyOf(0, {2}), {})->keyring().current(), nullptr);
}

TEST(StoreKeys, AMissingKeyStaysMissingUnderOtherRulesAndWithMoreKeys) {
    const StoreOnDisk store;
    store.configure("encrypt_data = 0\n" + store.keyLine(1) +
                    "secrets_decryption_keys = [ \"/nowhere/key\" ]\n");
    const StoreKeys keys = readStoreKeys(store.target(), std::nullopt, {store.keyFile(3)});
    const auto policy = withRules(*keys.host.policy, {});
    for (const Keyring *keyring : {&keys.host.policy->keyring(), &policy->keyring()}) {
        EXPECT_NE(keyring->missing().find("/nowhere/key"), std::string::npos);
        EXPECT_EQ(keyring->current(), nullptr);
        ASSERT_NE(keyring->primary(), nullptr);
        EXPECT_EQ(keyring->primary()->id(), keyIdOf(1));
    }
}

} // namespace
} // namespace keyhold::command
