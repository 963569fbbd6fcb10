// SPDX-License-Identifier: LGPL-2.1-or-later
// A root that is closed by one thread while another opens it.
#include "os/temporary_directory.h"
#include "threads/client.h"
#include "threads/event_loop.h"
#include "threads/other_process.h"
#include "threads/parallel.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace keyhold {

namespace {

/// Every thread opens the root, uses it and closes it again and again; `spellings` are taken in
/// turn.
void openAndCloseInTurns(unsigned threads, unsigned rounds,
                         const std::vector<std::string> &spellings) {
    atOnce(threads, [&](unsigned i) {
        const std::string &spelling = spellings[i % spellings.size()];
        for (unsigned round = 0; round < rounds; ++round) {
            const client::Connection connection = client::openRoot(spelling);
            ASSERT_NE(connection, nullptr) << client::describeError();
            if (round == 0) {
                const auto secret = client::define(connection.get(), {.number = i});
                ASSERT_NE(secret, nullptr) << client::describeError();
            }
            // Whoever opens it next finds what was there when it was closed.
            ASSERT_NE(client::lookup(connection.get(), i), nullptr) << client::describeError();
        }
    });
}

} // namespace

TEST(Reopening, NeverMeetsTheLockOfTheInstanceThatIsLeaving) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    std::filesystem::create_directory(root);
    std::filesystem::create_symlink("root", directory.path() + "/link");
    const std::vector<std::string> spellings{root, directory.path() + "/link"};
    openAndCloseInTurns(2, 500, spellings);
    openAndCloseInTurns(kThreads, 200, spellings);
    EXPECT_FALSE(std::filesystem::exists(client::lockFile(root)));
    EXPECT_EQ(openElsewhere(root), "open");
}

TEST(Reopening, WaitsUntilTheLastOneIsGone) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    {
        // Something to let go of.
        const client::Connection connection = client::openRoot(root);
        ASSERT_NE(connection, nullptr) << client::describeError();
        for (unsigned number = 0; number < 120; ++number) {
            const auto secret = client::define(connection.get(), {.number = number});
            ASSERT_NE(secret, nullptr) << client::describeError();
            ASSERT_TRUE(client::setValue(secret.get(), "x")) << client::describeError();
        }
    }
    // One thread is the last to close, the other opens again at that moment: sooner or later in
    // each round, so that some meet.
    constexpr unsigned kRounds = 600;
    constexpr unsigned kDelays = 100;
    constexpr unsigned kTurns = 300; // of an empty loop
    std::barrier step(2);
    atOnce(2, [&](unsigned i) {
        client::Connection connection = client::openRoot(root);
        for (unsigned round = 0; round < kRounds; ++round) {
            EXPECT_NE(connection, nullptr) << client::describeError();
            const bool isLast = round % 2 == i;
            step.arrive_and_wait();
            if (!isLast)
                connection.reset();
            step.arrive_and_wait();
            connection.reset();
            for (volatile unsigned turn = 0; turn < (isLast ? 0 : round % kDelays * kTurns);)
                turn = turn + 1;
            connection = client::openRoot(root);
        }
    });
}

TEST(Reopening, ByOneThreadFindsEverySecretAgain) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    constexpr int kRounds = 50;
    for (int round = 0; round < kRounds; ++round) {
        const client::Connection connection = client::openRoot(root);
        ASSERT_NE(connection, nullptr) << client::describeError();
        EXPECT_EQ(virConnectNumOfSecrets(connection.get()), round);
        const unsigned number = static_cast<unsigned>(round);
        ASSERT_NE(client::define(connection.get(), {.number = number}), nullptr);
        ASSERT_NE(client::define(connection.get(), {.number = 0xff, .isEphemeral = true}), nullptr);
    }
}

TEST(Reopening, OfARootThatWasMovedFindsTheDirectoryThatIsThereNow) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    const std::string moved = directory.path() + "/moved";
    client::Connection before = client::openRoot(root);
    ASSERT_NE(before, nullptr) << client::describeError();
    ASSERT_NE(client::define(before.get(), {.number = 1}), nullptr) << client::describeError();

    std::filesystem::rename(root, moved);
    const client::Connection after = client::openRoot(root);
    ASSERT_NE(after, nullptr) << client::describeError();
    EXPECT_EQ(virConnectNumOfSecrets(after.get()), 0);
    EXPECT_NE(client::lookup(before.get(), 1), nullptr) << client::describeError();
    // What was opened under the old name is not written to through it, and released all the same.
    EXPECT_EQ(client::define(before.get(), {.number = 2}), nullptr);
    EXPECT_EQ(openElsewhere(moved), client::lockedText(moved));
    before.reset();
    const client::Connection again = client::openRoot(moved);
    ASSERT_NE(again, nullptr) << client::describeError();
    EXPECT_NE(client::lookup(again.get(), 1), nullptr) << client::describeError();
    EXPECT_NE(client::define(again.get(), {.number = 2}), nullptr) << client::describeError();
    EXPECT_EQ(virConnectNumOfSecrets(after.get()), 0);
}

} // namespace keyhold
