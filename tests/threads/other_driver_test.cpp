// SPDX-License-Identifier: LGPL-2.1-or-later
// libvirt's own QEMU driver, embedded in the same process: the secrets its connections show.
#include "os/temporary_directory.h"
#include "threads/client.h"
#include "threads/event_loop.h"
#include "threads/observer.h"
#include "threads/parallel.h"
#include "threads/private_mounts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <unistd.h>

namespace keyhold {

namespace {

namespace fs = std::filesystem;

void copyWithLine(const std::string &from, const std::string &to, const std::string &line) {
    fs::copy_file(from, to);
    std::ofstream(to, std::ios::app) << line << "\n";
}

/// A directory of drivers with QEMU's beside ours, and what QEMU's wants to find. As root it wants
/// a user of its own, and writes to /run: both are there for this process only.
class OtherDriver : public testing::Test {
  protected:
    void SetUp() override {
        const fs::path drivers = directory_.path() + "/drivers";
        const fs::path qemu =
            fs::path(std::getenv("KEYHOLD_STOCK_DRIVERS")) / "libvirt_driver_qemu.so";
        ASSERT_TRUE(fs::exists(qemu)) << qemu << ": install libvirt-daemon-driver-qemu";
        fs::create_directory(drivers);
        fs::create_symlink(qemu, drivers / qemu.filename());
        fs::create_symlink(fs::path(std::getenv("LIBVIRT_DRIVER_DIR")) / "libvirt_driver_secret.so",
                           drivers / "libvirt_driver_secret.so");
        setenv("LIBVIRT_DRIVER_DIR", drivers.c_str(), 1);
        if (geteuid() == 0)
            isolate();
        loop_.emplace();
    }

    [[nodiscard]] std::string root(const std::string &name) const {
        return directory_.path() + "/" + name;
    }
    [[nodiscard]] client::Connection openSecrets(const std::string &name) const {
        client::Connection connection = client::openRoot(root(name));
        EXPECT_NE(connection, nullptr) << client::describeError();
        return connection;
    }
    [[nodiscard]] client::Connection openQemu(const std::string &name) const {
        client::Connection connection(virConnectOpen(client::uriOf(root(name), "qemu").c_str()));
        EXPECT_NE(connection, nullptr) << client::describeError();
        return connection;
    }

  private:
    void isolate() {
        copyWithLine("/etc/passwd", directory_.path() + "/passwd",
                     "libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin");
        copyWithLine("/etc/group", directory_.path() + "/group", "libvirt-qemu:x:64055:");
        private_mounts::enter();
        private_mounts::bind(directory_.path() + "/passwd", "/etc/passwd");
        private_mounts::bind(directory_.path() + "/group", "/etc/group");
        private_mounts::mountEmpty("/run");
    }

    TemporaryDirectory directory_;
    std::optional<EventLoop> loop_;
};

} // namespace

TEST_F(OtherDriver, HasTheSecretsOfItsOwnRoot) {
    const client::Connection a = openSecrets("a");
    const client::Connection b = openSecrets("b");
    ASSERT_NE(client::define(a.get(), {.number = 1}), nullptr) << client::describeError();
    const client::Connection qemu = openQemu("b");
    ASSERT_NE(qemu, nullptr);

    EXPECT_EQ(virConnectNumOfSecrets(qemu.get()), 0) << client::describeError();
    Observer observer;
    observer.watch(qemu.get());
    const client::Secret secret =
        client::define(qemu.get(), {.number = 2, .type = "ceph", .id = "x"});
    ASSERT_NE(secret, nullptr) << client::describeError();
    EXPECT_EQ(virSecretGetConnect(secret.get()), qemu.get());
    EXPECT_TRUE(client::setValue(secret.get(), "through QEMU")) << client::describeError();
    EXPECT_EQ(client::lookup(a.get(), 2), nullptr);
    const client::Secret same = client::lookup(b.get(), 2);
    ASSERT_NE(same, nullptr) << client::describeError();
    EXPECT_EQ(client::valueOf(same.get()), "through QEMU");
    EventLoop::reconcile();
    EXPECT_EQ(observer.lines(), (std::vector<Observer::Line>{"02 defined", "02 value"}));
    EXPECT_TRUE(observer.nonsense().empty());
    observer.unwatch();
}

TEST_F(OtherDriver, HasTheSecretsOfTheOnlyRootThatIsOpen) {
    const client::Connection secrets = openSecrets("secrets");
    ASSERT_NE(client::define(secrets.get(), {.number = 1}), nullptr) << client::describeError();
    const client::Connection qemu = openQemu("machines");
    ASSERT_NE(qemu, nullptr);
    atOnce(kThreads, [&](unsigned) {
        EXPECT_NE(client::lookup(qemu.get(), 1), nullptr) << client::describeError();
    });
}

TEST_F(OtherDriver, IsToldWhichRootsItCouldUseWhenThereIsAChoice) {
    const client::Connection a = openSecrets("a");
    const client::Connection b = openSecrets("b");
    const client::Connection qemu = openQemu("machines");
    ASSERT_NE(qemu, nullptr);
    EXPECT_LT(virConnectNumOfSecrets(qemu.get()), 0);
    const virErrorPtr error = virGetLastError();
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->code, VIR_ERR_INTERNAL_ERROR);
    EXPECT_EQ(error->domain, VIR_FROM_SECRET);
    for (const std::string &name : {root("machines"), root("a"), root("b")})
        EXPECT_NE(std::string(error->message).find("'" + name + "'"), std::string::npos)
            << error->message;
}

TEST_F(OtherDriver, IsToldThatNoRootIsOpen) {
    openSecrets("a").reset();
    const client::Connection qemu = openQemu("a");
    ASSERT_NE(qemu, nullptr);
    EXPECT_EQ(client::define(qemu.get(), {.number = 1}), nullptr);
    EXPECT_NE(client::describeError().find("'" + root("a") + "'"), std::string::npos)
        << client::describeError();
    const client::Connection again = openSecrets("a");
    EXPECT_NE(client::define(qemu.get(), {.number = 1}), nullptr) << client::describeError();
    EXPECT_NE(client::lookup(again.get(), 1), nullptr) << client::describeError();
}

TEST_F(OtherDriver, MayAskWhileTheRootIsClosedAndOpened) {
    openSecrets("a").reset();
    const client::Connection qemu = openQemu("a");
    ASSERT_NE(qemu, nullptr);
    std::atomic<bool> isOver{false};
    std::thread owner([&] {
        constexpr int kRounds = 200;
        for (int round = 0; round < kRounds; ++round)
            openSecrets("a").reset();
        isOver = true;
    });
    while (!isOver) {
        if (virConnectNumOfSecrets(qemu.get()) < 0) {
            EXPECT_NE(client::describeError().find("none is open in this process"),
                      std::string::npos)
                << client::describeError();
        }
    }
    owner.join();
}

TEST_F(OtherDriver, MayTakeItsRegistrationsBackAfterTheRootWasClosed) {
    client::Connection secrets = openSecrets("a");
    client::Connection qemu = openQemu("a");
    ASSERT_NE(qemu, nullptr);
    Observer observer;
    observer.watch(qemu.get());
    secrets.reset();
    EXPECT_NO_THROW(observer.unwatch());
    EXPECT_EQ(observer.released(), 2);
    EXPECT_EQ(virConnectClose(qemu.release()), 0) << "something still holds the connection";
}

TEST_F(OtherDriver, KnowsItsRegistrationsWithSeveralRootsApart) {
    client::Connection a = openSecrets("a");
    const client::Connection qemu = openQemu("machines");
    ASSERT_NE(qemu, nullptr);
    std::atomic<int> ofA{0};
    std::atomic<int> ofB{0};
    const auto watch = [&](std::atomic<int> &count) {
        const auto onEvent = [](virConnectPtr, virSecretPtr, int, int, void *opaque) {
            ++*static_cast<std::atomic<int> *>(opaque);
        };
        virConnectSecretEventLifecycleCallback callback = onEvent;
        return virConnectSecretEventRegisterAny(qemu.get(), nullptr, VIR_SECRET_EVENT_ID_LIFECYCLE,
                                                VIR_SECRET_EVENT_CALLBACK(callback), &count,
                                                nullptr);
    };
    const int inA = watch(ofA);
    ASSERT_GE(inA, 0) << client::describeError();
    a.reset();
    const client::Connection b = openSecrets("b");
    const int inB = watch(ofB);
    ASSERT_GE(inB, 0) << client::describeError();
    EXPECT_NE(inA, inB);

    EXPECT_EQ(virConnectSecretEventDeregisterAny(qemu.get(), inB), 0) << client::describeError();
    a = openSecrets("a");
    for (const virConnectPtr each : {a.get(), b.get()})
        EXPECT_NE(client::define(each, {.number = 1}), nullptr) << client::describeError();
    EventLoop::reconcile();
    EXPECT_EQ(ofA, 1);
    EXPECT_EQ(ofB, 0);
    EXPECT_EQ(virConnectSecretEventDeregisterAny(qemu.get(), inA), 0) << client::describeError();
    EventLoop::reconcile();
}

} // namespace keyhold
