// SPDX-License-Identifier: LGPL-2.1-or-later
// With libvirt's access driver "none", which allows everything and is what an embedding process
// has; what a driver that refuses makes of our calls is tested with a daemon.
#include "remote/access.h"

#include "remote/error_report.h"
#include "remote/libvirt_fixture.h"

#include <thread>

namespace keyhold {

namespace {

using access::ConnectionCall;
using access::SecretCall;

constexpr ConnectionCall kConnectionCalls[] = {
    ConnectionCall::open,    ConnectionCall::count,          ConnectionCall::listUuids,
    ConnectionCall::listAll, ConnectionCall::registerEvents, ConnectionCall::deregisterEvents};
constexpr SecretCall kSecretCalls[] = {
    SecretCall::lookupByUuid, SecretCall::lookupByUsage, SecretCall::define,  SecretCall::getXml,
    SecretCall::setValue,     SecretCall::getValue,      SecretCall::undefine};
constexpr ConnectionCall kListingCalls[] = {ConnectionCall::count, ConnectionCall::listUuids,
                                            ConnectionCall::listAll};

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
    for (const ConnectionCall call : kConnectionCalls)
        EXPECT_NO_THROW(access::require(connection_.get(), call)) << static_cast<int>(call);
    EXPECT_EQ(virGetLastError(), nullptr);
}

TEST_F(Access, EveryCallOnASecretOfAnyUseIsAllowedByTheDriverThatAllowsAll) {
    allowEverything();
    for (int type = 0; usageWords(UsageType{type}).type != nullptr; ++type) {
        const SecretDefinition secret = definition(UsageType{type});
        for (const SecretCall call : kSecretCalls)
            EXPECT_NO_THROW(access::require(connection_.get(), call, secret)) << type;
        for (const ConnectionCall call : kListingCalls)
            EXPECT_TRUE(access::isVisible(connection_.get(), call, secret)) << type;
    }
    EXPECT_EQ(virGetLastError(), nullptr);
}

TEST_F(Access, WithoutAnAccessManagerEveryCallIsRefusedWithLibvirtsError) {
    const SecretDefinition secret = definition(UsageType::ceph);
    for (const ConnectionCall call : kConnectionCalls) {
        virResetLastError();
        EXPECT_THROW(access::require(connection_.get(), call), ErrorAlreadyRaised);
        EXPECT_STREQ(lastError().message, "internal error: No access manager registered");
    }
    for (const SecretCall call : kSecretCalls) {
        virResetLastError();
        EXPECT_THROW(access::require(connection_.get(), call, secret), ErrorAlreadyRaised);
        EXPECT_STREQ(lastError().message, "internal error: No access manager registered");
    }
    for (const ConnectionCall call : kListingCalls)
        EXPECT_FALSE(access::isVisible(connection_.get(), call, secret));
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
