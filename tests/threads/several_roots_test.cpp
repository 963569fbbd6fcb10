// SPDX-License-Identifier: LGPL-2.1-or-later
// Many roots in one process: each on its own.
#include "store/temporary_directory.h"
#include "threads/client.h"
#include "threads/event_loop.h"
#include "threads/observer.h"
#include "threads/other_process.h"
#include "threads/parallel.h"

#include <gtest/gtest.h>

#include <array>

namespace keyhold {

namespace {

std::string rootNumber(const TemporaryDirectory &directory, unsigned number) {
    return directory.path() + "/root" + std::to_string(number);
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
    EventLoop::settle();
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
    // The refusals cost the other process nothing: it has the lock still.
    EXPECT_EQ(openElsewhere(taken), client::lockedText(taken));
    ASSERT_EQ(other.finish(), "exit 0");
    EXPECT_EQ(openElsewhere(taken), "open");
}

} // namespace keyhold
