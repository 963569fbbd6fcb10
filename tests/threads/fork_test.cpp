// SPDX-License-Identifier: LGPL-2.1-or-later
// A process that forks and does not exec: its child ends in one way or another, and it goes on.
#include "os/temporary_directory.h"
#include "threads/client.h"
#include "threads/event_loop.h"
#include "threads/other_process.h"
#include "threads/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

namespace keyhold {

namespace {

/// Runs `body` in a forked child; returns the child's exit code, or -1 if a signal ended it.
int inChild(const std::function<int()> &body) {
    const pid_t child = fork();
    if (child == 0)
        _exit(body());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A process with an open root and a secret of each kind.
class Fork : public testing::Test {
  protected:
    void SetUp() override {
        prepare();
        connection_ = client::openRoot(root_);
        ASSERT_NE(connection_, nullptr) << client::describeError();
        persistent_ = client::define(connection_.get(), {.number = 1});
        ephemeral_ = client::define(connection_.get(), {.number = 2, .isEphemeral = true});
        ASSERT_TRUE(client::setValue(persistent_.get(), "one")) << client::describeError();
        ASSERT_TRUE(client::setValue(ephemeral_.get(), "two")) << client::describeError();
    }

    /// What the parent had it has still.
    void checkParent() {
        EXPECT_EQ(client::valueOf(persistent_.get()), "one") << client::describeError();
        EXPECT_EQ(client::valueOf(ephemeral_.get()), "two") << client::describeError();
        EXPECT_NE(client::define(connection_.get(), {.number = 3}), nullptr)
            << client::describeError();
        EXPECT_TRUE(std::filesystem::exists(client::lockFile(root_)));
        EXPECT_EQ(openElsewhere(root_), client::lockedText(root_));
    }

    void closeCopiesInChild() {
        EXPECT_EQ(inChild([&] {
                      persistent_.reset();
                      ephemeral_.reset();
                      connection_.reset();
                      return 7;
                  }),
                  7);
        checkParent();
    }

    /// Before the root is open.
    virtual void prepare() {}

    TemporaryDirectory directory_;
    std::string root_ = directory_.path() + "/root";
    EventLoop loop_;
    client::Connection connection_;
    client::Secret persistent_;
    client::Secret ephemeral_;
};

/// The same, with an audit trail.
class RecordedFork : public Fork {
    void prepare() override {
        std::filesystem::create_directories(root_ + "/etc");
        std::ofstream(root_ + "/etc/secret.conf") << "audit = 1\n";
    }
};

} // namespace

TEST_F(RecordedFork, AChildThatClosesItsCopiesCostsNothing) {
    closeCopiesInChild();
    EXPECT_TRUE(std::filesystem::exists(root_ + "/log/audit.jsonl"));
}

TEST_F(RecordedFork, TheFileIsWrittenOnWhileAChildHasACopyOfItsLock) {
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    std::filesystem::rename(root_ + "/log/audit.jsonl", root_ + "/log/other");
    EXPECT_EQ(client::valueOf(persistent_.get()), "one") << client::describeError();
    std::filesystem::rename(root_ + "/log/other", root_ + "/log/audit.jsonl");
    EXPECT_EQ(client::valueOf(persistent_.get()), "one") << client::describeError();
    const std::uintmax_t size = std::filesystem::file_size(root_ + "/log/audit.jsonl");
    EXPECT_EQ(client::valueOf(persistent_.get()), "one") << client::describeError();
    EXPECT_GT(std::filesystem::file_size(root_ + "/log/audit.jsonl"), size);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
}

TEST_F(Fork, AChildThatEndsAtOnceCostsNothing) {
    EXPECT_EQ(inChild([] { return 7; }), 7);
    checkParent();
}

TEST_F(Fork, AChildThatExitsAsProgramsDoCostsNothing) {
    const pid_t child = fork();
    if (child == 0)
        std::exit(7);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
    checkParent();
}

// An interpreter that leaves drops its objects, and so closes the child's copy of the connection.
TEST_F(Fork, AChildThatClosesItsCopiesCostsNothing) {
    closeCopiesInChild();
}

TEST_F(Fork, AChildIsToldThatItHasNoValues) {
    EXPECT_EQ(inChild([&] {
                  if (client::valueOf(ephemeral_.get()))
                      return 1;
                  const std::string text = client::describeError();
                  return text.find("in a forked copy of the process") == text.npos ? 2 : 7;
              }),
              7);
    checkParent();
}

TEST_F(Fork, AChildOfAProcessWhoseThreadsAreBusyCostsNothing) {
    std::atomic<bool> isOver{false};
    std::atomic<unsigned> sets{0};
    std::thread setter([&] {
        while (!isOver) {
            EXPECT_TRUE(client::setValue(persistent_.get(), "one")) << client::describeError();
            ++sets;
        }
    });
    constexpr int kChildren = 20;
    for (int i = 0; i < kChildren; ++i) {
        const unsigned before = sets;
        EXPECT_EQ(inChild([] { return 7; }), 7);
        while (sets == before)
            std::this_thread::yield();
    }
    isOver = true;
    setter.join();
    checkParent();
}

} // namespace keyhold
