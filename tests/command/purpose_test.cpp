// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/purpose.h"
#include "command/store_on_disk.h"
#include "conf/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using testing::HasSubstr;

HostKeys hostKeys(std::shared_ptr<const SealingPolicy> policy) {
    HostKeys keys;
    keys.policy = std::move(policy);
    return keys;
}

std::string refusal(Purpose purpose, const HostKeys &keys) {
    try {
        static_cast<void>(rulesFor(purpose, keys, "/c"));
    } catch (const Error &error) {
        return error.message();
    }
    return "none";
}

TEST(Purpose, NothingIsSealedThatIsNotAskedFor) {
    const HostKeys keys = hostKeys(policyOf(7));
    EXPECT_THAT(refusal(Purpose::seal, keys), HasSubstr("'/c' does not ask for encryption"));
    EXPECT_THAT(refusal(Purpose::rekey, keys), HasSubstr("'/c' does not ask for encryption"));
    EXPECT_EQ(refusal(Purpose::unseal, keys), "none");
}

TEST(Purpose, WithoutAKeyTheReasonIsGiven) {
    const HostKeys keys = hostKeys(policyOf(0, {7}, {true, false, "the key is gone"}));
    EXPECT_THAT(refusal(Purpose::seal, keys), HasSubstr("the key is gone"));
}

TEST(Purpose, RulesSayWhichValuesAreWrittenAnew) {
    const HostKeys keys = hostKeys(policyOf(7, {}, {true, false, {}}));
    EXPECT_TRUE(rulesFor(Purpose::seal, keys, "").convertExisting);
    EXPECT_FALSE(rulesFor(Purpose::rekey, keys, "").convertExisting);
    EXPECT_FALSE(rulesFor(Purpose::unseal, keys, "").mustSeal);
}

TEST(Purpose, ADaemonNeedsTheSettingsThatMakeItConvert) {
    Settings settings;
    KeyPlan plan;
    plan.encrypt = true;
    EXPECT_EQ(lackingFor(Purpose::seal, settings, plan), "seal_existing = 1");
    EXPECT_EQ(lackingFor(Purpose::rekey, settings, plan), "");
    EXPECT_EQ(lackingFor(Purpose::unseal, settings, plan),
              "encrypt_data = 0 and unseal_existing = 1");
    settings.sealExisting = settings.unsealExisting = true;
    EXPECT_EQ(lackingFor(Purpose::seal, settings, plan), "");
    EXPECT_EQ(lackingFor(Purpose::unseal, settings, plan), "encrypt_data = 0");
    plan.encrypt = false;
    EXPECT_EQ(lackingFor(Purpose::unseal, settings, plan), "");
}

TEST(Purpose, AdviceIsGivenWhereItWouldNotStaySo) {
    Settings settings;
    KeyPlan plan;
    EXPECT_EQ(adviceAfter(Purpose::unseal, settings, plan, "/c"), "");
    plan.encrypt = true;
    EXPECT_THAT(adviceAfter(Purpose::unseal, settings, plan, "/c"), HasSubstr("encrypt_data = 0"));
    settings.sealExisting = true;
    EXPECT_THAT(adviceAfter(Purpose::unseal, settings, plan, "/c"),
                HasSubstr("take seal_existing out"));
    EXPECT_EQ(adviceAfter(Purpose::rekey, settings, plan, "/c"), "");
    settings.secretsDecryptionKeys = {"/k"};
    EXPECT_THAT(adviceAfter(Purpose::rekey, settings, plan, "/c"),
                HasSubstr("secrets_decryption_keys"));
}

} // namespace
} // namespace keyhold::command
