// SPDX-License-Identifier: LGPL-2.1-or-later
// With identities made by libvirt's own functions; what each transport puts into them is shown with
// a daemon.
#include "remote/caller.h"

#include "remote/libvirt_fixture.h"

#include <gmock/gmock.h>

#include <memory>
#include <thread>

#include <unistd.h>

namespace keyhold {

namespace {

struct Unreference {
    void operator()(void *identity) const {
        privateFunction<void(void *)>("g_object_unref")(identity);
    }
};
using Identity = std::unique_ptr<void, Unreference>;

Identity newIdentity() {
    return Identity(privateFunction<void *()>("virIdentityNew")());
}

template <typename Value>
void set(const Identity &identity, const char *function, Value value) {
    ASSERT_GE(privateFunction<int(void *, Value)>(function)(identity.get(), value), 0) << function;
}

class CallerTest : public WithLibvirt {
  protected:
    /// The caller that a thread with this identity sees.
    static std::optional<Caller> seenWith(const Identity &identity) {
        std::optional<Caller> out;
        std::thread([&] {
            const auto setCurrent = privateFunction<int(void *)>("virIdentitySetCurrent");
            EXPECT_EQ(setCurrent(identity.get()), 0);
            out = caller::current();
            EXPECT_EQ(virGetLastError(), nullptr);
            EXPECT_EQ(setCurrent(nullptr), 0);
        }).join();
        return out;
    }
};

} // namespace

TEST_F(CallerTest, AThreadWithoutAnIdentityIsTheProcessItself) {
    const std::optional<Caller> caller = seenWith(nullptr);
    EXPECT_FALSE(caller);
    EXPECT_EQ(caller::describe(caller), "this process");
}

TEST_F(CallerTest, AnErrorOfTheThreadStays) {
    const Identity identity = newIdentity();
    std::thread([&] {
        const auto setCurrent = privateFunction<int(void *)>("virIdentitySetCurrent");
        EXPECT_EQ(setCurrent(identity.get()), 0);
        EXPECT_EQ(virConnectOpen("no-such://"), nullptr);
        const std::string before = virGetLastErrorMessage();
        static_cast<void>(caller::current());
        EXPECT_EQ(virGetLastErrorMessage(), before);
        EXPECT_EQ(setCurrent(nullptr), 0);
    }).join();
}

TEST_F(CallerTest, AnEmptyIdentityIsAnUnknownClient) {
    const std::optional<Caller> caller = seenWith(newIdentity());
    ASSERT_TRUE(caller);
    EXPECT_FALSE(caller->isElevated);
    EXPECT_FALSE(caller->userId || caller->userName || caller->processId || caller->processStart ||
                 caller->saslName || caller->x509Name || caller->selinuxContext);
    EXPECT_EQ(caller::describe(caller), "an unknown client");
}

TEST_F(CallerTest, EveryAttributeOfAnIdentityIsThere) {
    const Identity identity = newIdentity();
    set(identity, "virIdentitySetUNIXUserID", uid_t{1042});
    set(identity, "virIdentitySetUserName", "alice");
    set(identity, "virIdentitySetProcessID", pid_t{4711});
    set(identity, "virIdentitySetProcessTime", 9'000'000'000ULL);
    set(identity, "virIdentitySetSASLUserName", "alice@EXAMPLE.COM");
    set(identity, "virIdentitySetX509DName", "CN=client,O=Example");
    set(identity, "virIdentitySetSELinuxContext", "system_u:system_r:virtd_t:s0");
    const std::optional<Caller> caller = seenWith(identity);
    ASSERT_TRUE(caller);
    EXPECT_FALSE(caller->isElevated);
    EXPECT_EQ(caller->userId, uid_t{1042});
    EXPECT_EQ(caller->userName, "alice");
    EXPECT_EQ(caller->processId, 4711);
    EXPECT_EQ(caller->processStart, 9'000'000'000ULL);
    EXPECT_EQ(caller->saslName, "alice@EXAMPLE.COM");
    EXPECT_EQ(caller->x509Name, "CN=client,O=Example");
    EXPECT_EQ(caller->selinuxContext, "system_u:system_r:virtd_t:s0");
    EXPECT_EQ(caller::describe(caller),
              "uid 1042, user 'alice', pid 4711, started at 9000000000, "
              "SASL user 'alice@EXAMPLE.COM', x509 name 'CN=client,O=Example', "
              "SELinux context 'system_u:system_r:virtd_t:s0'");
}

TEST_F(CallerTest, RootIsAUser) {
    const Identity identity = newIdentity();
    set(identity, "virIdentitySetUNIXUserID", uid_t{0});
    EXPECT_EQ(caller::describe(seenWith(identity)), "uid 0");
}

TEST_F(CallerTest, LibvirtItselfIsToldFromItsClients) {
    const Identity self(privateFunction<void *()>("virIdentityGetSystem")());
    const std::optional<Caller> caller = seenWith(self);
    ASSERT_TRUE(caller);
    EXPECT_TRUE(caller->isElevated);
    EXPECT_EQ(caller->userId, getuid());
    EXPECT_EQ(caller->processId, getpid());
    EXPECT_THAT(caller::describe(caller),
                testing::StartsWith("libvirt for uid " + std::to_string(getuid()) + ", user '"));
}

TEST_F(CallerTest, ANameCannotForgeALineOrItsPunctuation) {
    Caller caller;
    caller.saslName = "eve', pid 1\n2026: error : \\x27\x7f\xc3\xa9 ~";
    EXPECT_EQ(caller::describe(caller),
              "SASL user 'eve\\x27, pid 1\\x0a2026: error : \\x5cx27\\x7f\\xc3\\xa9 ~'");
}

TEST_F(CallerTest, LibvirtWithoutAnAttributeIsStillLibvirt) {
    Caller caller;
    caller.isElevated = true;
    EXPECT_EQ(caller::describe(caller), "libvirt");
}

TEST_F(CallerTest, TheErrorThatIsSetStays) {
    EXPECT_EQ(virConnectOpen("nosuchdriver:///"), nullptr);
    const std::string before = lastError().message;
    (void)caller::describe(caller::current());
    EXPECT_EQ(lastError().message, before);
}

} // namespace keyhold
