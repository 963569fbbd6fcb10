// SPDX-License-Identifier: LGPL-2.1-or-later
// That the test double forgets, fails and stops as it says; what it has in common with the kernel
// is in file_system_contract_test.cpp.
#include "os/memory_file_system.h"

#include <cerrno>
#include <set>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using Names = std::vector<std::string>;
using Calls = MemoryFileSystem::Calls;
using Effect = MemoryFileSystem::Effect;

class MemoryFileSystemTest : public ::testing::Test {
  protected:
    MemoryFileSystemTest() {
        files.putDirectory("/d");
        open();
    }

    void open() { directory = files.openDirectory("/d"); }

    void write(const char *name, const std::string &content, bool syncs) {
        int file = files.open(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ASSERT_GE(file, 0);
        ASSERT_EQ(static_cast<ssize_t>(content.size()),
                  files.write(file, content.data(), content.size()));
        if (syncs) {
            ASSERT_EQ(0, files.sync(file));
        }
        ASSERT_EQ(0, files.close(file));
    }

    /// Every directory listing, with contents, that power losses from here lead to.
    std::set<std::string> outcomes(const PowerLoss &how = {}) {
        std::set<std::string> found;
        const auto start = files.snapshot();
        for (int i = 0; i < 400; ++i) {
            files.crashPowerLoss(rng, how);
            EXPECT_TRUE(files.allSynced("/d"));
            std::string text;
            for (const std::string &name : files.names("/d"))
                text += name + "=" + files.content("/d/" + name).value() + " ";
            found.insert(text);
            files.restore(start);
        }
        return found;
    }

    MemoryFileSystem files;
    std::mt19937_64 rng{20240229};
    int directory = -1;
};

using Outcomes = std::set<std::string>;

TEST_F(MemoryFileSystemTest, AKilledProcessLosesNothingButDescriptorsAndLocks) {
    write("a", "x", false);
    int file = files.open(directory, "a", O_RDWR, 0);
    ASSERT_EQ(0, files.lock(file));
    EXPECT_TRUE(files.isLocked("/d/a"));
    files.crashKill();
    EXPECT_FALSE(files.isLocked("/d/a"));
    EXPECT_EQ(0U, files.openDescriptors());
    EXPECT_EQ("x", files.content("/d/a"));
    EXPECT_EQ(-EBADF, files.sync(directory));
    EXPECT_FALSE(files.allSynced("/d"));
}

TEST_F(MemoryFileSystemTest, PowerLossKeepsWhatWasSynced) {
    write("a", "x", true);
    EXPECT_EQ(0, files.sync(directory));
    EXPECT_TRUE(files.allSynced("/d"));
    EXPECT_EQ((Outcomes{"a=x "}), outcomes());
}

TEST_F(MemoryFileSystemTest, PowerLossMayForgetANameWhoseDirectoryWasNotSynced) {
    write("a", "x", true);
    EXPECT_EQ((Outcomes{"", "a=x "}), outcomes());
}

TEST_F(MemoryFileSystemTest, PowerLossMayEmptyCutOrZeroUnsyncedContent) {
    write("a", "12", false);
    EXPECT_EQ(0, files.sync(directory));
    const std::string zeros = std::string("a=") + std::string(2, '\0') + " ";
    EXPECT_EQ((Outcomes{"a= ", "a=1 ", "a=12 ", zeros}), outcomes());
}

TEST_F(MemoryFileSystemTest, PowerLossMayBringBackOldContent) {
    files.putFile("/d/a", "old");
    write("a", "", false);
    EXPECT_EQ((Outcomes{"a= ", "a=old "}), outcomes());
}

TEST_F(MemoryFileSystemTest, ARenameWithoutSyncOfTheFileMayLeaveAnEmptyFile) {
    files.putFile("/d/a", "old");
    write("tmp", "n", false);
    EXPECT_EQ(0, files.rename(directory, "tmp", "a"));
    const auto found = outcomes();
    EXPECT_TRUE(found.contains("a= "));
    EXPECT_TRUE(found.contains("a=old "));
    EXPECT_TRUE(found.contains("a=n "));
}

TEST_F(MemoryFileSystemTest, ARenameHappensAsAWhole) {
    files.putFile("/d/a", "x");
    EXPECT_EQ(0, files.rename(directory, "a", "b"));
    EXPECT_EQ((Outcomes{"a=x ", "b=x "}), outcomes());
    EXPECT_EQ((Outcomes{"a=x ", "b=x ", "a=x b=x "}), outcomes({.splitRenames = true}));
}

TEST_F(MemoryFileSystemTest, ChangesOfADirectorySurviveInAnyCombination) {
    files.putFile("/d/a", "");
    files.putFile("/d/b", "");
    EXPECT_EQ(0, files.unlink(directory, "a"));
    EXPECT_EQ(0, files.unlink(directory, "b"));
    EXPECT_EQ((Outcomes{"", "a= ", "b= ", "a= b= "}), outcomes());
    EXPECT_EQ((Outcomes{"", "b= ", "a= b= "}), outcomes({.reorder = false, .leaveGaps = false}));
}

TEST_F(MemoryFileSystemTest, ChangesOfOneNameMayBeReordered) {
    write("a", "", true);
    EXPECT_EQ(0, files.unlink(directory, "a"));
    files.sync(directory);
    write("b", "", true);
    EXPECT_EQ(0, files.rename(directory, "b", "c"));
    EXPECT_EQ((Outcomes{"", "b= ", "c= "}), outcomes({.reorder = false}));
    EXPECT_EQ((Outcomes{"", "b= ", "c= ", "b= c= "}), outcomes());
}

TEST_F(MemoryFileSystemTest, ASnapshotBringsEverythingBack) {
    write("a", "x", true);
    int file = files.open(directory, "a", O_RDONLY, 0);
    const auto snapshot = files.snapshot();
    EXPECT_EQ(0, files.unlink(directory, "a"));
    EXPECT_EQ(0, files.close(file));
    files.restore(snapshot);
    EXPECT_EQ("x", files.content("/d/a"));
    EXPECT_FALSE(files.allSynced("/d"));
    EXPECT_EQ(0, files.close(file));
}

TEST_F(MemoryFileSystemTest, FailsTheKthCallAndNoOther) {
    files.failCall(2, ENOSPC);
    int file = files.open(directory, "a", O_WRONLY | O_CREAT, 0600);
    EXPECT_GE(file, 0);
    FileStatus status;
    EXPECT_EQ(0, files.status(file, status));
    EXPECT_EQ(-ENOSPC, files.write(file, "x", 1));
    EXPECT_EQ(1, files.write(file, "y", 1));
    EXPECT_EQ("y", files.content("/d/a"));
}

TEST_F(MemoryFileSystemTest, CountsAllCallsIfAsked) {
    files.failCall(2, EIO, Effect::none, Calls::all);
    FileStatus status;
    EXPECT_EQ(0, files.status(directory, status));
    EXPECT_EQ(-EIO, files.status(directory, status));
    EXPECT_EQ(0, files.status(directory, status));
}

TEST_F(MemoryFileSystemTest, AFailedCallMayHaveDoneItsWork) {
    files.failCall(1, EIO, Effect::done);
    EXPECT_EQ(-EIO, files.open(directory, "a", O_WRONLY | O_CREAT, 0600));
    EXPECT_EQ(Names{"a"}, files.names("/d"));
    EXPECT_EQ(1U, files.openDescriptors());
}

TEST_F(MemoryFileSystemTest, FailsAllCallsFromOneOn) {
    files.putFile("/d/a", "");
    files.failFrom(2, EROFS);
    EXPECT_EQ(0, files.rename(directory, "a", "b"));
    EXPECT_EQ(-EROFS, files.rename(directory, "b", "c"));
    EXPECT_EQ(-EROFS, files.unlink(directory, "b"));
    EXPECT_FALSE(files.isStopped());
    files.clearFaults();
    EXPECT_EQ(0, files.unlink(directory, "b"));
}

TEST_F(MemoryFileSystemTest, AStoppedProcessThrowsAtEveryCallButClose) {
    files.putFile("/d/a", "");
    files.stopAfter(1);
    EXPECT_EQ(0, files.rename(directory, "a", "b"));
    FileStatus status;
    EXPECT_EQ(0, files.status(directory, status));
    EXPECT_THROW(files.unlink(directory, "b"), Stopped);
    EXPECT_TRUE(files.isStopped());
    EXPECT_THROW(files.status(directory, status), Stopped);
    EXPECT_EQ(-EIO, files.close(directory));
    files.crashKill();
    open();
    EXPECT_EQ(Names{"b"}, files.names("/d"));
    EXPECT_EQ(0, files.unlink(directory, "b"));
}

TEST_F(MemoryFileSystemTest, AStoppedProcessMayUnwindThroughDestructorsThatCall) {
    struct Cleaner {
        MemoryFileSystem &files;
        int directory;
        ~Cleaner() { EXPECT_EQ(-EIO, files.unlink(directory, "a")); }
    };
    files.putFile("/d/a", "");
    files.stopAfter(0);
    auto work = [&] {
        Cleaner cleaner{files, directory};
        files.sync(directory);
    };
    EXPECT_THROW(work(), Stopped);
    EXPECT_EQ(Names{"a"}, files.names("/d"));
}

TEST_F(MemoryFileSystemTest, ADeadProcessGetsOnlyErrors) {
    files.putFile("/d/a", "");
    files.dieAfter(0);
    EXPECT_EQ(-EIO, files.unlink(directory, "a"));
    EXPECT_EQ(-EIO, files.close(directory));
    EXPECT_TRUE(files.isStopped());
    files.crashKill();
    EXPECT_FALSE(files.isStopped());
    EXPECT_EQ(Names{"a"}, files.names("/d"));
}

TEST_F(MemoryFileSystemTest, ADiskThatIsGoneHoldsWhatWasSyncedBefore) {
    write("a", "1", true);
    EXPECT_EQ(0, files.sync(directory));
    files.loseDisk(1, DiskLoss::readOnly);
    EXPECT_EQ(0, files.rename(directory, "a", "b"));
    EXPECT_EQ(-EROFS, files.rename(directory, "b", "c"));
    EXPECT_EQ(0, files.fsync(directory));
    EXPECT_EQ(Names{"b"}, files.names("/d"));
    EXPECT_FALSE(files.allSynced("/d"));
    files.crashPowerLoss(rng, {.reorder = false});
    EXPECT_THAT(files.names("/d"), testing::AnyOf(Names{"a"}, Names{"b"}));
    EXPECT_EQ(0, files.sync(files.openDirectory("/d")));
}

TEST_F(MemoryFileSystemTest, TracesCallsWithNamesAndErrors) {
    files.clearTrace();
    write("a", "x", true);
    EXPECT_EQ(0, files.rename(directory, "a", "b"));
    EXPECT_EQ(-ENOENT, files.unlink(directory, "a"));
    EXPECT_EQ(0, files.sync(directory));
    EXPECT_EQ((Names{"create /d/a", "write /d/a", "sync /d/a", "rename /d/a -> /d/b",
                     "unlink /d/a = ENOENT", "sync /d"}),
              files.trace());
    EXPECT_EQ(6U, files.callCount());
    EXPECT_EQ(11U, files.callCount(Calls::all));
    EXPECT_EQ("close /d/a", files.trace(Calls::all)[5]);
}

TEST_F(MemoryFileSystemTest, ClosingAnyDescriptorDropsTheLock) {
    files.putFile("/d/lock", "");
    int first = files.open(directory, "lock", O_RDWR, 0);
    int second = files.open(directory, "lock", O_RDONLY, 0);
    EXPECT_EQ(0, files.lock(first));
    EXPECT_EQ(0, files.close(second));
    EXPECT_FALSE(files.isLocked("/d/lock"));
}

TEST_F(MemoryFileSystemTest, AnotherProcessMayHoldTheLock) {
    files.putFile("/d/lock", "");
    int file = files.open(directory, "lock", O_RDWR, 0);
    files.holdLock("/d/lock");
    EXPECT_EQ(-EAGAIN, files.lock(file));
    files.dropLock("/d/lock");
    EXPECT_EQ(0, files.lock(file));
}

TEST_F(MemoryFileSystemTest, ARemovedDirectoryIsEmptyAndTakesNothing) {
    files.putFile("/d/a", "");
    files.removeAll("/d");
    Names found;
    EXPECT_EQ(0, files.list(directory, [&](const char *name) { found.emplace_back(name); }));
    EXPECT_TRUE(found.empty());
    EXPECT_EQ(-ENOENT, files.open(directory, "b", O_WRONLY | O_CREAT, 0600));
    EXPECT_EQ(-ENOENT, files.openDirectory("/d"));
}

TEST_F(MemoryFileSystemTest, MakePathIsDurable) {
    EXPECT_EQ(0, files.makePath("/d/e/f"));
    files.crashPowerLoss(rng);
    EXPECT_GE(files.openDirectory("/d/e/f"), 0);
}

TEST_F(MemoryFileSystemTest, AnOpenThatWouldWaitIsAMistakeOfTheTest) {
    files.putFifo("/d/fifo");
    EXPECT_THROW(files.open(directory, "fifo", O_RDONLY, 0), std::logic_error);
}

TEST_F(MemoryFileSystemTest, ServesThreads) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([this, i] {
            for (int round = 0; round < 100; ++round)
                write(("file" + std::to_string(i)).c_str(), std::to_string(round), true);
        });
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(4U, files.names("/d").size());
    EXPECT_EQ("99", files.content("/d/file3"));
}

} // namespace
} // namespace keyhold
