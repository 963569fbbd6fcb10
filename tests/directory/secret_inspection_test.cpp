// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/secret_inspection.h"
#include "directory/store_files.h"

#include <gtest/gtest.h>

namespace keyhold {
namespace {

class InspectSecret : public testing::Test {
  protected:
    [[nodiscard]] SecretInspection check(const std::shared_ptr<const SealingPolicy> &policy) const {
        return inspectSecret(StoreDirectory(posixFileSystem(), store.secrets()), *policy,
                             StoreFiles::uuid(1));
    }
    static std::vector<StoreFinding::Kind> kindsOf(const SecretInspection &secret) {
        std::vector<StoreFinding::Kind> kinds;
        for (const StoreFinding &finding : secret.findings)
            kinds.push_back(finding.kind);
        return kinds;
    }
    using Kinds = std::vector<StoreFinding::Kind>;

    StoreFiles store;
};

TEST_F(InspectSecret, ASealedValue) {
    store.addSealed(1, "value", 7);
    const SecretInspection secret = check(policyOf(7));
    EXPECT_EQ(secret.format, ValueFormat::jwe);
    EXPECT_EQ(secret.keyId, keyIdOf(7));
    EXPECT_EQ(secret.definition->usage.id, "use 1");
    EXPECT_FALSE(secret.isUnreadable || secret.needsReencryption);
    EXPECT_TRUE(secret.findings.empty());
}

TEST_F(InspectSecret, AValueOfAnotherKey) {
    store.addSealed(1, "value", 7);
    const SecretInspection secret = check(policyOf(8));
    EXPECT_EQ(secret.keyId, keyIdOf(7));
    EXPECT_TRUE(secret.isUnreadable);
    EXPECT_EQ(kindsOf(secret), Kinds{StoreFinding::Kind::missingKey});
    EXPECT_EQ(secret.findings.at(0).keyId, keyIdOf(7));
}

TEST_F(InspectSecret, AValueThatTheSettingsRefuse) {
    store.define(1);
    store.addPlain(1, "value");
    SealingPolicy::Rules rules;
    rules.mustSeal = rules.refusesPlain = true;
    const SecretInspection secret = check(policyOf(7, {}, rules));
    EXPECT_TRUE(secret.isUnreadable);
    EXPECT_EQ(kindsOf(secret), Kinds{StoreFinding::Kind::refusedPlain});
}

TEST_F(InspectSecret, AValueOfAnotherSecret) {
    store.addSealed(2, "value", 7);
    store.define(1);
    store.put(StoreFiles::nameOf(1, "jwe"), store.files()[StoreFiles::nameOf(2, "jwe")]);
    const SecretInspection secret = check(policyOf(7));
    EXPECT_TRUE(secret.isUnreadable);
    EXPECT_EQ(kindsOf(secret), Kinds{StoreFinding::Kind::damagedValue});
    EXPECT_EQ(secret.findings.at(0).cause, "was sealed for another secret");
}

TEST_F(InspectSecret, TwoForms) {
    store.addSealed(1, "value", 7);
    store.addPlain(1, "newer");
    const SecretInspection secret = check(policyOf(7));
    EXPECT_EQ(secret.format, ValueFormat::plain);
    EXPECT_EQ(kindsOf(secret), Kinds{StoreFinding::Kind::shadowedValue});
    EXPECT_FALSE(secret.needsReencryption);
    EXPECT_TRUE(check(policyOf(0, {7}, {false, true, {}})).needsReencryption)
        << "an interrupted change to plain leaves this";
}

TEST_F(InspectSecret, ABlankFileIsNoValueAndHidesNone) {
    store.addSealed(1, "value", 7);
    store.put(StoreFiles::nameOf(1, "base64"), "\n");
    const SecretInspection secret = check(policyOf(7));
    EXPECT_EQ(secret.format, ValueFormat::jwe);
    EXPECT_TRUE(secret.findings.empty());
}

TEST_F(InspectSecret, ADefinitionThatHasGone) {
    EXPECT_EQ(kindsOf(check(policyOf(7))), Kinds{StoreFinding::Kind::missingDefinition});
}

TEST_F(InspectSecret, ADefinitionThatCannotBeReadOrIsOfAnother) {
    store.put(StoreFiles::nameOf(1, "xml"), "<secret>");
    EXPECT_EQ(kindsOf(check(policyOf(7))), Kinds{StoreFinding::Kind::unreadableDefinition});
    store.define(2);
    store.put(StoreFiles::nameOf(1, "xml"), store.files()[StoreFiles::nameOf(2, "xml")]);
    EXPECT_EQ(kindsOf(check(policyOf(7))), Kinds{StoreFinding::Kind::definesAnother});
}

TEST_F(InspectSecret, NeedsReencryptionByTheRules) {
    store.addSealed(1, "value", 7);
    const SealingPolicy::Rules plain{.mustSeal = false, .convertExisting = true, .complaint = {}};
    EXPECT_TRUE(check(policyOf(0, {7}, plain)).needsReencryption);
    const SealingPolicy::Rules sealed{.mustSeal = true, .convertExisting = false, .complaint = {}};
    EXPECT_TRUE(check(policyOf(8, {7}, sealed)).needsReencryption);
    EXPECT_FALSE(check(policyOf(7, {}, sealed)).needsReencryption);
}

} // namespace
} // namespace keyhold
