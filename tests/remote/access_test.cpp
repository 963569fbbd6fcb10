// SPDX-License-Identifier: LGPL-2.1-or-later
// With libvirt's access driver "none", which allows everything and is what an embedding process
// has; what a driver that refuses makes of our calls is tested with a daemon.
#include "remote/access.h"

#include "remote/error_report.h"
#include "remote/libvirt_fixture.h"

#include <thread>

namespace keyhold {

namespace {

using abi::Symbols;

constexpr access::ConnectionCheck kConnectionChecks[] = {
    &Symbols::virConnectOpenEnsureACL,
    &Symbols::virConnectNumOfSecretsEnsureACL,
    &Symbols::virConnectListSecretsEnsureACL,
    &Symbols::virConnectListAllSecretsEnsureACL,
    &Symbols::virConnectSecretEventRegisterAnyEnsureACL,
    &Symbols::virConnectSecretEventDeregisterAnyEnsureACL,
};
constexpr access::SecretCheck kSecretChecks[] = {
    &Symbols::virSecretLookupByUUIDEnsureACL, &Symbols::virSecretLookupByUsageEnsureACL,
    &Symbols::virSecretDefineXMLEnsureACL,    &Symbols::virSecretGetXMLDescEnsureACL,
    &Symbols::virSecretSetValueEnsureACL,     &Symbols::virSecretGetValueEnsureACL,
    &Symbols::virSecretUndefineEnsureACL,
};
constexpr access::ListCheck kListChecks[] = {
    &Symbols::virConnectNumOfSecretsCheckACL,
    &Symbols::virConnectListSecretsCheckACL,
    &Symbols::virConnectListAllSecretsCheckACL,
};

class Access : public WithLibvirt {
  protected:
    void SetUp() override {
        WithLibvirt::SetUp();
        connection_.reset(virConnectOpen("test:///default"));
        ASSERT_NE(connection_, nullptr);
    }
    void TearDown() override { setManager(nullptr); }

    static void setManager(void *manager) {
        privateFunction<void(void *)>("virAccessManagerSetDefault")(manager);
    }
    static void allowEverything() {
        void *manager = privateFunction<void *(const char *)>("virAccessManagerNew")("none");
        ASSERT_NE(manager, nullptr);
        setManager(manager); // which takes a reference
        privateFunction<void(void *)>("virObjectUnref")(manager);
    }
    /// Runs on a thread of its own: identities belong to threads.
    template <typename Body>
    static void onFreshThread(Body body) {
        std::thread(body).join();
    }

    static SecretDefinition definition(UsageType type) {
        SecretDefinition out;
        out.uuid = Uuid::generate();
        out.description = "text";
        out.usage = {type, type == UsageType::none ? "" : "id"};
        return out;
    }

    Connection connection_;
};

} // namespace

TEST_F(Access, EveryCallOnAConnectionIsAllowedByTheDriverThatAllowsAll) {
    allowEverything();
    for (const auto check : kConnectionChecks)
        EXPECT_NO_THROW(access::require(connection_.get(), check));
    EXPECT_EQ(virGetLastError(), nullptr);
}

TEST_F(Access, EveryCallOnASecretOfAnyUseIsAllowedByTheDriverThatAllowsAll) {
    allowEverything();
    for (int type = 0; usageWords(UsageType{type}).type != nullptr; ++type) {
        const SecretDefinition secret = definition(UsageType{type});
        for (const auto check : kSecretChecks)
            EXPECT_NO_THROW(access::require(connection_.get(), check, secret)) << type;
        for (const auto check : kListChecks)
            EXPECT_TRUE(access::isVisible(connection_.get(), check, secret)) << type;
    }
    EXPECT_EQ(virGetLastError(), nullptr);
}

TEST_F(Access, WithoutAnAccessManagerEveryCallIsRefusedWithLibvirtsError) {
    const SecretDefinition secret = definition(UsageType::ceph);
    for (const auto check : kConnectionChecks) {
        virResetLastError();
        EXPECT_THROW(access::require(connection_.get(), check), ErrorAlreadyRaised);
        EXPECT_STREQ(lastError().message, "internal error: No access manager registered");
    }
    for (const auto check : kSecretChecks) {
        virResetLastError();
        EXPECT_THROW(access::require(connection_.get(), check, secret), ErrorAlreadyRaised);
        EXPECT_STREQ(lastError().message, "internal error: No access manager registered");
    }
    for (const auto check : kListChecks)
        EXPECT_FALSE(access::isVisible(connection_.get(), check, secret));
}

TEST_F(Access, AThreadWithoutAnIdentityIsNoClientAndReadsNoPrivateValues) {
    onFreshThread([] {
        EXPECT_FALSE(access::isForClient());
        EXPECT_EQ(virGetLastError(), nullptr);
        EXPECT_THROW((void)access::mayReadPrivate(), ErrorAlreadyRaised);
        EXPECT_NE(virGetLastError(), nullptr);
    });
}

TEST_F(Access, PrivateValuesAreForLibvirtItselfAndNotForItsClients) {
    const auto setCurrent = privateFunction<int(void *)>("virIdentitySetCurrent");
    const auto unref = privateFunction<void(void *)>("g_object_unref");
    void *client = privateFunction<void *()>("virIdentityNew")();
    void *self = privateFunction<void *()>("virIdentityGetSystem")();
    ASSERT_TRUE(client && self);
    onFreshThread([&] {
        ASSERT_EQ(setCurrent(client), 0);
        EXPECT_TRUE(access::isForClient());
        EXPECT_FALSE(access::mayReadPrivate());
        ASSERT_EQ(setCurrent(self), 0);
        EXPECT_FALSE(access::isForClient());
        EXPECT_TRUE(access::mayReadPrivate());
        ASSERT_EQ(setCurrent(nullptr), 0);
    });
    unref(client);
    unref(self);
}

} // namespace keyhold
