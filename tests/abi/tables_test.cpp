// SPDX-License-Identifier: LGPL-2.1-or-later
// The layouts against real objects of the libvirt in this process, made by its own test driver.
#include "abi/release.h"
#include "abi/symbols.h"
#include "abi/tables.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>

#include <libvirt/virterror.h>

using namespace keyhold::abi;

namespace {

struct Close {
    void operator()(virConnectPtr conn) const { virConnectClose(conn); }
    void operator()(virSecretPtr secret) const { virSecretFree(secret); }
};
using Connection = std::unique_ptr<virConnect, Close>;
using Secret = std::unique_ptr<virSecret, Close>;

constexpr std::array<unsigned char, VIR_UUID_BUFLEN> kUuid{1, 2,  3,  4,  5,  6,  7,  8,
                                                           9, 10, 11, 12, 13, 14, 15, 16};

int ask(const HypervisorDriver *driver, std::size_t slot, virConnectPtr conn) {
    return reinterpret_cast<int (*)(virConnectPtr)>(driver->slot[slot])(conn);
}

} // namespace

TEST(Tables, ConnectionUriIsWhereLibvirtKeepsIt) {
    Connection conn(virConnectOpen("test:///default?colour=red&size=2"));
    ASSERT_NE(conn, nullptr) << virGetLastErrorMessage();
    const Uri *uri = connectionUri(conn.get());
    EXPECT_STREQ(uri->scheme, "test");
    EXPECT_EQ(uri->server, nullptr);
    EXPECT_STREQ(uri->path, "/default");
    EXPECT_EQ(uri->fragment, nullptr);
    ASSERT_EQ(uri->paramsCount, 2U);
    EXPECT_STREQ(uri->params[0].name, "colour");
    EXPECT_STREQ(uri->params[1].name, "size");
    EXPECT_STREQ(uri->params[1].value, "2");
    EXPECT_STREQ(symbols().virURIGetParam(uri, "colour"), "red");
    EXPECT_EQ(symbols().virURIGetParam(uri, "weight"), nullptr);
    virResetLastError();
}

TEST(Tables, ConnectionFlagsTellReadOnlyFromReadWrite) {
    Connection writable(virConnectOpen("test:///default"));
    Connection readOnly(virConnectOpenReadOnly("test:///default"));
    ASSERT_TRUE(writable && readOnly) << virGetLastErrorMessage();
    EXPECT_EQ(connectionFlags(writable.get()), 0U);
    EXPECT_EQ(connectionFlags(readOnly.get()), static_cast<unsigned int>(VIR_CONNECT_RO));
}

TEST(Tables, SlotsOfThisReleaseAnswerAsThePublicFunctionsDo) {
    Connection conn(virConnectOpen("test:///default"));
    ASSERT_NE(conn, nullptr) << virGetLastErrorMessage();
    const HypervisorDriver *driver = connectionDriver(conn.get());
    const HypervisorSlots slots = hypervisorSlots(runningRelease());
    EXPECT_STREQ(static_cast<const char *>(driver->slot[slots.name]), "Test");
    EXPECT_NE(driver->slot[slots.connectOpen], nullptr);
    EXPECT_NE(driver->slot[slots.connectClose], nullptr);
    // libvirt's test driver says "secure" and "alive", but not "encrypted".
    EXPECT_EQ(virConnectIsEncrypted(conn.get()), 0);
    EXPECT_EQ(virConnectIsSecure(conn.get()), 1);
    EXPECT_EQ(virConnectIsAlive(conn.get()), 1);
    EXPECT_EQ(ask(driver, slots.connectIsEncrypted, conn.get()), 0);
    EXPECT_EQ(ask(driver, slots.connectIsSecure, conn.get()), 1);
    EXPECT_EQ(ask(driver, slots.connectIsAlive, conn.get()), 1);
}

TEST(Tables, PublicGettersReadTheSlotsThatReleaseNames) {
    Connection conn(virConnectOpen("test:///default"));
    ASSERT_NE(conn, nullptr) << virGetLastErrorMessage();
    // A driver of our own in the connection for a moment: the public functions must find exactly
    // the three entries that are filled.
    static HypervisorDriver ours{};
    auto *driver = const_cast<HypervisorDriver *>(connectionDriver(conn.get()));
    const HypervisorSlots slots = hypervisorSlots(runningRelease());
    int (*answers[])(virConnectPtr) = {[](virConnectPtr) { return 41; },
                                       [](virConnectPtr) { return 42; },
                                       [](virConnectPtr) { return 43; }};
    ours.slot[slots.connectIsEncrypted] = reinterpret_cast<void *>(answers[0]);
    ours.slot[slots.connectIsSecure] = reinterpret_cast<void *>(answers[1]);
    ours.slot[slots.connectIsAlive] = reinterpret_cast<void *>(answers[2]);
    std::array<void *, 256> saved;
    std::memcpy(saved.data(), driver->slot, sizeof(saved));
    std::memcpy(driver->slot, ours.slot, sizeof(saved));
    const int encrypted = virConnectIsEncrypted(conn.get());
    const int secure = virConnectIsSecure(conn.get());
    const int alive = virConnectIsAlive(conn.get());
    std::memcpy(driver->slot, saved.data(), sizeof(saved));
    EXPECT_EQ(encrypted, 41);
    EXPECT_EQ(secure, 42);
    EXPECT_EQ(alive, 43);
}

TEST(Tables, PrivateDataIsTheDriversOwn) {
    Connection conn(virConnectOpen("test:///default"));
    ASSERT_NE(conn, nullptr) << virGetLastErrorMessage();
    void *theirs = connectionPrivateData(conn.get());
    EXPECT_NE(theirs, nullptr);
    int ours = 0;
    setConnectionPrivateData(conn.get(), &ours);
    EXPECT_EQ(connectionPrivateData(conn.get()), &ours);
    setConnectionPrivateData(conn.get(), theirs);
    EXPECT_EQ(virConnectNumOfDomains(conn.get()), 1);
}

TEST(Tables, SecretFieldsAreWhatThePublicGettersGive) {
    Connection conn(virConnectOpen("test:///default"));
    ASSERT_NE(conn, nullptr) << virGetLastErrorMessage();
    Secret secret(symbols().virGetSecret(conn.get(), kUuid.data(), VIR_SECRET_USAGE_TYPE_CEPH,
                                         "client.admin secret"));
    ASSERT_NE(secret, nullptr) << virGetLastErrorMessage();
    EXPECT_EQ(secretConnection(secret.get()), conn.get());
    EXPECT_EQ(virSecretGetConnect(secret.get()), conn.get());
    EXPECT_EQ(std::memcmp(secretUuid(secret.get()), kUuid.data(), kUuid.size()), 0);
    EXPECT_STREQ(virSecretGetUsageID(secret.get()), "client.admin secret");
}
