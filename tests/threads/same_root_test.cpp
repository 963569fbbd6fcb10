// SPDX-License-Identifier: LGPL-2.1-or-later
// Many threads open one root as the first thing their process does.
#include "os/temporary_directory.h"
#include "threads/client.h"
#include "threads/event_loop.h"
#include "threads/other_process.h"
#include "threads/parallel.h"
#include "threads/private_mounts.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>

namespace keyhold {

namespace {

namespace fs = std::filesystem;

/// Each thread opens the root as `spellings` has it, defines one secret and waits for the others;
/// then all see all, and nobody else gets in until the last connection is closed.
void openEverywhereAtOnce(const std::array<std::string, kThreads> &spellings) {
    const std::string &root = spellings[0];
    std::array<client::Connection, kThreads> connections;
    std::barrier isDefined(kThreads);
    atOnce(kThreads, [&](unsigned i) {
        connections[i] = client::openRoot(spellings[i]);
        EXPECT_NE(connections[i], nullptr) << spellings[i] << ": " << client::describeError();
        if (connections[i]) {
            const auto secret = client::define(connections[i].get(), {.number = i});
            EXPECT_NE(secret, nullptr) << client::describeError();
        }
        isDefined.arrive_and_wait();
        if (connections[i]) {
            EXPECT_EQ(virConnectNumOfSecrets(connections[i].get()), static_cast<int>(kThreads))
                << spellings[i];
        }
    });

    for (client::Connection &connection : connections) {
        EXPECT_EQ(openElsewhere(root), client::lockedText(root));
        connection.reset();
    }
    EXPECT_FALSE(fs::exists(client::lockFile(root)));
    EXPECT_EQ(openElsewhere(root), "open");
}

std::array<std::string, kThreads> spelledAlike(const std::string &root) {
    std::array<std::string, kThreads> spellings;
    spellings.fill(root);
    return spellings;
}

} // namespace

TEST(SameRoot, IsOneForThreadsThatOpenItAsTheFirstThingTheyDo) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    openEverywhereAtOnce(spelledAlike(directory.path() + "/root"));
}

TEST(SameRoot, IsOneHoweverItIsSpelled) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    fs::create_directory(root);
    fs::create_symlink("root", directory.path() + "/link");
    fs::create_symlink(directory.path(), directory.path() + "/up");
    openEverywhereAtOnce({root, root + "/", root + "/.", directory.path() + "//root///",
                          root + "/etc/..", directory.path() + "/link",
                          directory.path() + "/up/root", directory.path() + "/up/up/link/"});
}

TEST(SameRoot, IsOneThroughABindMount) {
    const TemporaryDirectory directory;
    const std::string root = directory.path() + "/root";
    const std::string mounted = directory.path() + "/mounted";
    fs::create_directory(root);
    fs::create_directory(mounted);
    private_mounts::enter();
    private_mounts::bind(root, mounted);
    const EventLoop loop;
    openEverywhereAtOnce(
        {root, mounted, mounted + "/", root, mounted, root + "/", mounted, mounted});
}

TEST(SameRoot, IsOneForAThreadThatComesWhenTheFirstSpellingIsGone) {
    const TemporaryDirectory directory;
    const EventLoop loop;
    const std::string root = directory.path() + "/root";
    fs::create_directory(root);
    fs::create_symlink("root", directory.path() + "/link");
    const client::Connection first = client::openRoot(directory.path() + "/link");
    ASSERT_NE(first, nullptr) << client::describeError();
    ASSERT_NE(client::define(first.get(), {.number = 1, .isEphemeral = true}), nullptr)
        << client::describeError();

    fs::remove(directory.path() + "/link");
    const client::Connection second = client::openRoot(root);
    ASSERT_NE(second, nullptr) << client::describeError();
    EXPECT_NE(client::lookup(second.get(), 1), nullptr) << client::describeError();
    EXPECT_EQ(openElsewhere(root), client::lockedText(root));
}

} // namespace keyhold
