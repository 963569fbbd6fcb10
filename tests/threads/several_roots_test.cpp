// SPDX-License-Identifier: LGPL-2.1-or-later
// Many roots in one process: each on its own.
#include "os/temporary_directory.h"
#include "threads/client.h"
#include "threads/event_loop.h"
#include "threads/observer.h"
#include "threads/other_process.h"
#include "threads/parallel.h"

#include <gtest/gtest.h>

#include <array>

#include <dlfcn.h>

namespace keyhold {

namespace {

std::string rootNumber(const TemporaryDirectory &directory, unsigned number) {
    return directory.path() + "/root" + std::to_string(number);
}

/// What libvirt's other drivers find on this thread when they need a secret.
client::Connection foundByOtherDrivers() {
    const auto find =
        reinterpret_cast<virConnectPtr (*)()>(dlsym(RTLD_DEFAULT, "virGetConnectSecret"));
    return client::Connection(find ? find() : nullptr);
}

} // namespace

TEST(SeveralRoots, AreIndependentWhenTheyAreOpenedAtOnce) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    atOnce(kThreads, [&](unsigned i) {
        const std::string root = rootNumber(directory, i);
        const client::Connection connection = client::openRoot(root);
        ASSERT_NE(connection, nullptr) << client::describeError();
        // The same uuid and the same use everywhere, with another value.
        const auto secret =
            client::define(connection.get(), {.number = 1, .type = "ceph", .id = "a"});
        ASSERT_NE(secret, nullptr) << client::describeError();
        ASSERT_TRUE(client::setValue(secret.get(), root)) << client::describeError();
        EXPECT_EQ(virConnectNumOfSecrets(connection.get()), 1);
        EXPECT_EQ(client::valueOf(secret.get()), root);
        EXPECT_EQ(openElsewhere(root), client::lockedText(root));
    });
    for (unsigned i = 0; i < kThreads; ++i) {
        const std::string dump = dumpElsewhere(rootNumber(directory, i));
        EXPECT_TRUE(dump.ends_with("value: " + rootNumber(directory, i) + "\n")) << dump;
    }
}

TEST(SeveralRoots, GiveOtherDriversTheOneThatTheirThreadOpenedLast) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    client::Connection a = client::openRoot(rootNumber(directory, 1));
    ASSERT_NE(a, nullptr) << client::describeError();
    ASSERT_NE(client::define(a.get(), {.number = 1}), nullptr) << client::describeError();
    const client::Connection ofA = foundByOtherDrivers();
    ASSERT_NE(ofA, nullptr) << client::describeError();
    EXPECT_NE(ofA.get(), a.get()) << "libvirt keeps a bare pointer: a user's connection may go";
    EXPECT_NE(client::lookup(ofA.get(), 1), nullptr) << client::describeError();

    const client::Connection b = client::openRoot(rootNumber(directory, 2));
    ASSERT_NE(b, nullptr) << client::describeError();
    const client::Connection ofB = foundByOtherDrivers();
    EXPECT_NE(ofB.get(), ofA.get());
    EXPECT_EQ(virConnectNumOfSecrets(ofB.get()), 0) << client::describeError();

    // It does not keep the root open, and is good again once somebody has opened it.
    a.reset();
    EXPECT_EQ(openElsewhere(rootNumber(directory, 1)), "open");
    EXPECT_LT(virConnectNumOfSecrets(ofA.get()), 0);
    EXPECT_EQ(client::describeError(), "error 1 30 internal error: the embedded secret driver with "
                                       "root '" +
                                           rootNumber(directory, 1) + "' is not open any more");
    const client::Connection again = client::openRoot(rootNumber(directory, 1));
    EXPECT_EQ(foundByOtherDrivers().get(), ofA.get());
    EXPECT_NE(client::lookup(ofA.get(), 1), nullptr) << client::describeError();
}

TEST(SeveralRoots, KeepTheirEventsToThemselves) {
    const TemporaryDirectory directory;
    std::array<Observer, kThreads> observers;
    std::array<client::Connection, kThreads> connections;
    const EventLoop loop;
    constexpr unsigned kRounds = 20;
    atOnce(kThreads, [&](unsigned i) {
        connections[i] = client::openRoot(rootNumber(directory, i));
        ASSERT_NE(connections[i], nullptr) << client::describeError();
        observers[i].watch(connections[i].get());
        for (unsigned round = 0; round < kRounds; ++round) {
            const auto secret = client::define(connections[i].get(), {.number = i});
            ASSERT_NE(secret, nullptr) << client::describeError();
            ASSERT_TRUE(client::setValue(secret.get(), "x")) << client::describeError();
            ASSERT_EQ(virSecretUndefine(secret.get()), 0) << client::describeError();
        }
    });
    EventLoop::reconcile();
    for (unsigned i = 0; i < kThreads; ++i) {
        EXPECT_EQ(observers[i].nonsense(), std::vector<Observer::Line>{}) << "root " << i;
        EXPECT_EQ(observers[i].lines().size(), 3 * kRounds) << "root " << i;
        EXPECT_EQ(observers[i].linesOf(i), observers[i].lines()) << "root " << i;
        observers[i].unwatch();
    }
}

TEST(SeveralRoots, OneThatAnotherProcessHasOpenDoesNotSpoilTheNext) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string taken = rootNumber(directory, 0);
    const std::string free = rootNumber(directory, 1);
    OtherProcess other(OtherProcess::Task::hold, taken);
    ASSERT_EQ(other.readLine(), "open");

    EXPECT_EQ(client::openRoot(taken), nullptr);
    EXPECT_EQ(client::describeError(), client::lockedText(taken));
    const client::Connection connection = client::openRoot(free);
    ASSERT_NE(connection, nullptr) << client::describeError();
    EXPECT_NE(client::define(connection.get(), {.number = 1}), nullptr) << client::describeError();
    EXPECT_EQ(client::openRoot(taken), nullptr);

    ASSERT_EQ(other.finish(), "exit 0");
    EXPECT_NE(client::openRoot(taken), nullptr) << client::describeError();
}

TEST(SeveralRoots, OneThatAnotherProcessHasOpenIsRefusedToEveryThread) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string taken = rootNumber(directory, 0);
    OtherProcess other(OtherProcess::Task::hold, taken);
    ASSERT_EQ(other.readLine(), "open");
    atOnce(kThreads, [&](unsigned i) {
        const std::string root = i % 2 == 0 ? taken : rootNumber(directory, i);
        const client::Connection connection = client::openRoot(root);
        EXPECT_EQ(connection != nullptr, i % 2 == 1) << root;
        if (i % 2 == 0) {
            EXPECT_EQ(client::describeError(), client::lockedText(taken));
        }
    });
    // The refusals change nothing for the other process: it has the lock still.
    EXPECT_EQ(openElsewhere(taken), client::lockedText(taken));
    ASSERT_EQ(other.finish(), "exit 0");
    EXPECT_EQ(openElsewhere(taken), "open");
}

} // namespace keyhold
