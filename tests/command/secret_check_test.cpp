// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/store_on_disk.h"
#include "directory/secret_inspection.h"

#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

class SecretCheck : public testing::Test {
  protected:
    [[nodiscard]] SecretInspection check(const std::shared_ptr<const SealingPolicy> &policy) const {
        return inspectSecret(StoreDirectory(posixFileSystem(), store.secrets()), *policy,
                             StoreOnDisk::uuid(1));
    }
    static std::vector<StoreFinding::Kind> kindsOf(const SecretInspection &secret) {
        std::vector<StoreFinding::Kind> kinds;
        for (const StoreFinding &finding : secret.findings)
            kinds.push_back(finding.kind);
        return kinds;
    }
    using Kinds = std::vector<StoreFinding::Kind>;

    StoreOnDisk store;
};

TEST_F(SecretCheck, ASealedValue) {
    store.addSealed(1, "value", 7);
    const SecretInspection secret = check(atRestOf(7));
    EXPECT_EQ(secret.format, ValueFormat::jwe);
    EXPECT_EQ(secret.keyId, keyIdOf(7));
    EXPECT_EQ(secret.usage->id, "use 1");
    EXPECT_FALSE(secret.isUnreadable || secret.needsReencryption);
    EXPECT_TRUE(secret.findings.empty());
}

TEST_F(SecretCheck, AValueOfAnotherKey) {
    store.addSealed(1, "value", 7);
    const SecretInspection secret = check(atRestOf(8));
    EXPECT_EQ(secret.keyId, keyIdOf(7));
    EXPECT_TRUE(secret.isUnreadable);
    EXPECT_EQ(kindsOf(secret), Kinds{StoreFinding::Kind::missingKey});
}

TEST_F(SecretCheck, AValueOfAnotherSecret) {
    store.addSealed(2, "value", 7);
    store.define(1);
    store.put(StoreOnDisk::nameOf(1, "jwe"), store.files()[StoreOnDisk::nameOf(2, "jwe")]);
    const SecretInspection secret = check(atRestOf(7));
    EXPECT_TRUE(secret.isUnreadable);
    EXPECT_EQ(kindsOf(secret), Kinds{StoreFinding::Kind::damagedValue});
}

TEST_F(SecretCheck, TwoForms) {
    store.addSealed(1, "value", 7);
    store.addPlain(1, "newer");
    const SecretInspection secret = check(atRestOf(7));
    EXPECT_EQ(secret.format, ValueFormat::plain);
    EXPECT_EQ(kindsOf(secret), Kinds{StoreFinding::Kind::shadowedValue});
    EXPECT_FALSE(secret.needsReencryption);
    EXPECT_TRUE(check(atRestOf(0, {7}, {false, true, {}})).needsReencryption)
        << "an interrupted change to plain leaves this";
}

TEST_F(SecretCheck, ABlankFileIsNoValueAndHidesNone) {
    store.addSealed(1, "value", 7);
    store.put(StoreOnDisk::nameOf(1, "base64"), "\n");
    const SecretInspection secret = check(atRestOf(7));
    EXPECT_EQ(secret.format, ValueFormat::jwe);
    EXPECT_TRUE(secret.findings.empty());
}

TEST_F(SecretCheck, ADefinitionThatCannotBeReadOrIsOfAnother) {
    store.put(StoreOnDisk::nameOf(1, "xml"), "<secret>");
    EXPECT_EQ(kindsOf(check(atRestOf(7))), Kinds{StoreFinding::Kind::unreadableDefinition});
    store.define(2);
    store.put(StoreOnDisk::nameOf(1, "xml"), store.files()[StoreOnDisk::nameOf(2, "xml")]);
    EXPECT_EQ(kindsOf(check(atRestOf(7))), Kinds{StoreFinding::Kind::definesAnother});
}

TEST_F(SecretCheck, IsOutdatedByTheRules) {
    store.addSealed(1, "value", 7);
    const SealingPolicy::Rules plain{.mustSeal = false, .convertExisting = true, .complaint = {}};
    EXPECT_TRUE(check(atRestOf(0, {7}, plain)).needsReencryption);
    const SealingPolicy::Rules sealed{.mustSeal = true, .convertExisting = false, .complaint = {}};
    EXPECT_TRUE(check(atRestOf(8, {7}, sealed)).needsReencryption);
    EXPECT_FALSE(check(atRestOf(7, {}, sealed)).needsReencryption);
}

} // namespace
} // namespace keyhold::command
