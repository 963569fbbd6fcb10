// SPDX-License-Identifier: LGPL-2.1-or-later
// On real files: what a lock is worth, only another process can show.
#include "os/store_lock.h"

#include "os/child.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"
#include "os/temporary_directory.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace keyhold {
namespace {

class StoreLockTest : public testing::Test {
  protected:
    using LockPtr = std::unique_ptr<StoreLock>;

    LockPtr take() { return std::make_unique<StoreLock>(faulty, directory.path()); }

    struct Failure {
        std::string text;
        int systemErrno = 0;
        bool isLocked = false;
        bool operator==(const Failure &) const = default;
    };
    friend void PrintTo(const Failure &failure, std::ostream *out) {
        *out << failure.text << " (" << failure.systemErrno
             << (failure.isLocked ? ", locked)" : ")");
    }

    Failure failureIn(const std::string &path) {
        try {
            const StoreLock lock(faulty, path);
        } catch (const LockedError &error) {
            EXPECT_EQ(ErrorCode::fileAccess, error.code());
            return {error.message(), error.systemErrno(), true};
        } catch (const Error &error) {
            EXPECT_EQ(ErrorCode::fileAccess, error.code());
            return {error.message(), error.systemErrno(), false};
        }
        return {"taken"};
    }
    Failure failure() { return failureIn(directory.path()); }

    [[nodiscard]] std::string file() const { return directory.path() + "/driver.pid"; }
    /// Read by another process: closing the file in this one would drop the lock.
    [[nodiscard]] std::string content() const {
        const std::unique_ptr<FILE, int (*)(FILE *)> cat(
            ::popen(("cat '" + file() + "'").c_str(), "r"), ::pclose);
        std::string out(100, '\0');
        out.resize(std::fread(out.data(), 1, out.size(), cat.get()));
        return out;
    }

    /// Whether a process of another driver could take the lock, as libvirt does it.
    [[nodiscard]] bool isLockedForOthers() const {
        const Child other([this] {
            const int descriptor = ::open(file().c_str(), O_WRONLY);
            struct flock range {};
            range.l_type = F_WRLCK;
            range.l_whence = SEEK_SET;
            range.l_start = 0;
            range.l_len = 1;
            return descriptor >= 0 && ::fcntl(descriptor, F_SETLK, &range) == 0;
        });
        return !other.succeeded();
    }

    TemporaryDirectory directory;
    FaultyFileSystem faulty{posixFileSystem()};
    const Failure locked{"Failed to acquire pid file '" + file() + "'", EAGAIN, true};
};

TEST_F(StoreLockTest, TheFileHoldsThePidInDecimalWithoutANewline) {
    const auto lock = take();
    EXPECT_EQ(std::to_string(::getpid()), content());
    struct stat status;
    ASSERT_EQ(0, ::stat(file().c_str(), &status));
    EXPECT_EQ(S_IFREG | mode_t{0644}, status.st_mode);
}

TEST_F(StoreLockTest, OtherProcessesAreKeptOutUntilItIsReleased) {
    auto lock = take();
    EXPECT_TRUE(isLockedForOthers());
    lock.reset();
    EXPECT_FALSE(std::filesystem::exists(file()));
    EXPECT_EQ(0U, faulty.openDescriptors());
    lock = take();
    EXPECT_TRUE(isLockedForOthers());
}

TEST_F(StoreLockTest, WhatAnotherProcessHoldsIsRefusedInStocksWords) {
    {
        const Child holder([this] {
            static_cast<void>(take().release());
            return true;
        });
        EXPECT_EQ(locked, failure());
        EXPECT_EQ(std::to_string(holder.pid()), content());
    }
    EXPECT_EQ("taken", failure().text);
}

TEST_F(StoreLockTest, AHolderThatWasKilledLeavesAFileThatIsTakenOver) {
    {
        std::ofstream(file()) << "12345678901234567890\n";
        const auto lock = take();
        EXPECT_EQ(std::to_string(::getpid()), content());
    }
    Child holder([this] {
        static_cast<void>(take().release());
        return true;
    });
    holder.finish();
    EXPECT_TRUE(std::filesystem::exists(file()));
    const auto lock = take();
    EXPECT_EQ(std::to_string(::getpid()), content());
    EXPECT_TRUE(isLockedForOthers());
}

TEST_F(StoreLockTest, ASecondTryInOneProcessIsRefusedAndDoesNotDropTheLock) {
    const auto lock = take();
    EXPECT_EQ(locked, failure());
    EXPECT_TRUE(isLockedForOthers());
}

TEST_F(StoreLockTest, AnotherSpellingOfTheDirectoryIsTheSameStore) {
    const auto lock = take();
    const TemporaryDirectory elsewhere;
    std::filesystem::create_directory_symlink(directory.path(), elsewhere.path() + "/link");
    EXPECT_TRUE(failureIn(elsewhere.path() + "/link").isLocked);
    EXPECT_TRUE(failureIn(directory.path() + "/.").isLocked);
    EXPECT_TRUE(isLockedForOthers());
}

TEST_F(StoreLockTest, OneProcessHoldsTheLocksOfSeveralStores) {
    const TemporaryDirectory elsewhere;
    const auto lock = take();
    auto other = std::make_unique<StoreLock>(faulty, elsewhere.path());
    other.reset();
    EXPECT_TRUE(isLockedForOthers());
    EXPECT_EQ(locked, failure());
}

TEST_F(StoreLockTest, AFileThatItsHolderRemovesBeforeItIsLockedIsNotTakenForTheLock) {
    bool isFirst = true;
    std::ofstream(file()) << "1";
    faulty.before(Operation::lock, "driver.pid", [&] {
        if (std::exchange(isFirst, false))
            std::filesystem::remove(file());
    });
    const auto lock = take();
    EXPECT_FALSE(isFirst);
    EXPECT_EQ(2U, faulty.count(Operation::lock));
    EXPECT_TRUE(isLockedForOthers());
}

TEST_F(StoreLockTest, AFileThatItsHolderReplacesBeforeItIsLockedIsNotTakenForTheLock) {
    bool isFirst = true;
    std::ofstream(file()) << "1";
    faulty.before(Operation::lock, "driver.pid", [&] {
        if (std::exchange(isFirst, false)) {
            std::ofstream(directory.path() + "/new") << "2";
            std::filesystem::rename(directory.path() + "/new", file());
        }
    });
    const auto lock = take();
    EXPECT_EQ(std::to_string(::getpid()), content());
    EXPECT_TRUE(isLockedForOthers());
}

TEST_F(StoreLockTest, ALockFileThatAnotherProcessMadeSinceIsNotRemoved) {
    auto lock = take();
    std::filesystem::remove(file());
    const Child other([this] {
        static_cast<void>(take().release());
        return true;
    });
    ASSERT_TRUE(other.succeeded());
    lock.reset();
    ASSERT_TRUE(std::filesystem::exists(file()));
    EXPECT_EQ(std::to_string(other.pid()), content());
    EXPECT_EQ(locked, failure());
}

TEST_F(StoreLockTest, AForkedChildThatEndsLeavesTheLockToItsParent) {
    auto lock = take();
    const Child child([&] {
        lock.reset();
        return true;
    });
    EXPECT_TRUE(child.succeeded());
    EXPECT_EQ(std::to_string(::getpid()), content());
    EXPECT_TRUE(isLockedForOthers());
}

TEST_F(StoreLockTest, FailureIsReportedWithStocksTextAndTheErrnoAndLeavesNothingHeld) {
    const struct {
        Operation operation;
        const char *text;
    } steps[] = {{Operation::openDirectory, "Failed to open"},
                 {Operation::open, "Failed to open"},
                 {Operation::lock, "Failed to acquire"},
                 {Operation::status, "Unable to check status of"},
                 {Operation::truncate, "Failed to truncate"},
                 {Operation::write, "Failed to write to"}};
    for (const auto &step : steps) {
        faulty.fail(step.operation, "", EIO);
        const Failure expected{step.text + (" pid file '" + file() + "'"), EIO, false};
        EXPECT_EQ(expected, failure());
        EXPECT_EQ(0U, faulty.openDescriptors()) << step.text;
        EXPECT_FALSE(std::filesystem::exists(file()) && isLockedForOthers()) << step.text;
        EXPECT_EQ("taken", failure().text) << step.text;
    }
}

TEST_F(StoreLockTest, OnAFullDiskTheLockCounts) {
    std::ofstream(file()) << "1";
    for (const int error : {ENOSPC, EDQUOT}) {
        for (const Operation operation : {Operation::truncate, Operation::write}) {
            faulty.fail(operation, "", error);
            const auto lock = take();
            EXPECT_TRUE(isLockedForOthers());
        }
    }
}

TEST_F(StoreLockTest, ASecondTryThatCannotLookAtTheFileDoesNotDropTheLock) {
    const auto lock = take();
    faulty.fail(Operation::statusAt, "driver.pid", EIO);
    EXPECT_EQ((Failure{"Unable to check status of pid file '" + file() + "'", EIO, false}),
              failure());
    EXPECT_TRUE(isLockedForOthers());
}

TEST_F(StoreLockTest, TellsWhoHoldsIt) {
    const auto holderSeen = [&] {
        try {
            static_cast<void>(take());
        } catch (const LockedError &error) {
            return error.holder();
        }
        return pid_t{-1};
    };
    {
        const Child holder([this] {
            static_cast<void>(take().release());
            return true;
        });
        EXPECT_EQ(holder.pid(), holderSeen());
    }
    const auto lock = take();
    EXPECT_EQ(::getpid(), holderSeen());
}

TEST_F(StoreLockTest, AFileThatCannotBeLookedAtIsAnErrorAndNotAnotherTry) {
    faulty.fail(Operation::statusAt, "driver.pid", EIO, 1000);
    EXPECT_EQ((Failure{"Unable to check status of pid file '" + file() + "'", EIO, false}),
              failure());
}

TEST_F(StoreLockTest, BothErrorsOfAHeldLockMeanTheSame) {
    for (const int error : {EAGAIN, EACCES}) {
        faulty.clearFaults();
        faulty.fail(Operation::lock, "", error, FaultyFileSystem::kAlways);
        EXPECT_EQ(locked, failure());
    }
}

TEST_F(StoreLockTest, AHolderThatLetsGoBeforeItIsLookedForIsNone) {
    faulty.fail(Operation::lock, "", EAGAIN);
    EXPECT_NO_THROW(static_cast<void>(take()));
    EXPECT_EQ(2U, faulty.count(Operation::lock));
}

TEST_F(StoreLockTest, WhatIsNoRegularFileIsNotALockFile) {
    const std::string precious = directory.path() + "/precious";
    std::ofstream(precious) << "precious";
    std::filesystem::create_symlink("precious", file());
    EXPECT_EQ((Failure{"Failed to open pid file '" + file() + "'", ELOOP, false}), failure());
    EXPECT_EQ(8U, std::filesystem::file_size(precious));
    std::filesystem::remove(file());
    std::filesystem::create_symlink("nowhere", file());
    EXPECT_EQ(ELOOP, failure().systemErrno);
    EXPECT_FALSE(std::filesystem::exists(directory.path() + "/nowhere"));
    std::filesystem::remove(file());
    ASSERT_EQ(0, ::mkfifo(file().c_str(), 0600));
    EXPECT_EQ(ENXIO, failure().systemErrno);
    std::filesystem::remove(file());
    std::filesystem::create_directory(file());
    EXPECT_EQ(EISDIR, failure().systemErrno);
}

TEST_F(StoreLockTest, WithoutAStateDirectoryThereIsNoLock) {
    EXPECT_EQ((Failure{"Failed to open pid file '" + directory.path() + "/missing/driver.pid'",
                       ENOENT, false}),
              failureIn(directory.path() + "/missing"));
}

} // namespace
} // namespace keyhold
