// SPDX-License-Identifier: LGPL-2.1-or-later
// On real directories: what a lock is worth, only another process can show.
#include "os/directory_lock.h"

#include "conf/recording_admin_log.h"
#include "os/child.h"
#include "os/faulty_file_system.h"
#include "os/lock_holder.h"
#include "os/store_lock.h"
#include "os/temporary_directory.h"

#include <csignal>
#include <memory>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>

namespace keyhold {
namespace {

class DirectoryLockTest : public testing::Test {
  protected:
    using LockPtr = std::unique_ptr<DirectoryLock>;

    LockPtr take(const Retry &retry = [] { return false; }) {
        return std::make_unique<DirectoryLock>(StoreDirectory(faulty, directory.path()), retry,
                                               log);
    }

    /// As another tool takes it.
    static bool lockWithoutUs(const std::string &path) {
        const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return descriptor >= 0 && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    }
    [[nodiscard]] bool isFree() const {
        const Child other([this] { return lockWithoutUs(directory.path()); });
        return other.succeeded();
    }

    struct Refusal {
        std::string text;
        pid_t holder = -1;
        bool operator==(const Refusal &) const = default;
    };
    friend void PrintTo(const Refusal &refusal, std::ostream *out) {
        *out << refusal.text << " (" << refusal.holder << ")";
    }
    Refusal refusal() {
        try {
            static_cast<void>(take());
        } catch (const LockedError &error) {
            EXPECT_EQ(ErrorCode::fileAccess, error.code());
            EXPECT_EQ(EAGAIN, error.systemErrno());
            return {error.message(), error.holder()};
        }
        return {"taken"};
    }
    [[nodiscard]] Refusal heldBy(pid_t pid) const {
        return {"cannot lock directory '" + directory.path() + "', which is in use by " +
                    processText(pid) + "; try again once that has ended",
                pid};
    }

    TemporaryDirectory directory;
    FaultyFileSystem faulty{posixFileSystem()};
    RecordingAdminLog log;
};

TEST_F(DirectoryLockTest, KeepsOthersOutUntilItIsReleased) {
    auto lock = take();
    EXPECT_FALSE(isFree());
    lock.reset();
    EXPECT_TRUE(isFree());
    EXPECT_EQ(0U, faulty.openDescriptors());
    EXPECT_TRUE(log.lines().empty());
}

TEST_F(DirectoryLockTest, IsRefusedToASecondOneOfTheSameProcess) {
    const auto lock = take();
    EXPECT_EQ(heldBy(::getpid()), refusal());
    EXPECT_FALSE(isFree());
}

TEST_F(DirectoryLockTest, OtherOpensOfTheDirectoryDoNotDropIt) {
    const auto lock = take();
    {
        const StoreDirectory copied(posixFileSystem(), directory.path());
        copied.list([](const char *) {});
    }
    EXPECT_FALSE(isFree());
}

TEST_F(DirectoryLockTest, NamesTheProcessThatHasIt) {
    {
        const Child holder([this] { return lockWithoutUs(directory.path()); });
        ASSERT_TRUE(holder.succeeded());
        EXPECT_EQ(heldBy(holder.pid()), refusal());
    }
    EXPECT_EQ("taken", refusal().text);
}

TEST_F(DirectoryLockTest, IsTriedAgainUntilAToolHasLetItGo) {
    Child tool([this] { return lockWithoutUs(directory.path()); });
    int tries = 0;
    const auto lock = take([&] {
        if (++tries == 3)
            tool.finish();
        return true;
    });
    EXPECT_EQ(3, tries);
    EXPECT_FALSE(isFree());
}

TEST(RetryFor, SleepsForItsPatienceInAllAndThenAnswersFalse) {
    std::chrono::milliseconds slept{0};
    const Retry retry = retryFor(kLockPatience, [&](auto each) { slept += each; });
    while (retry())
        ASSERT_LT(slept, 2 * kLockPatience);
    EXPECT_EQ(kLockPatience, slept);
    EXPECT_FALSE(retry());
    EXPECT_FALSE(retryFor(std::chrono::milliseconds(0))());
}

// The child has a copy of the descriptor, which must not keep the lock.
TEST_F(DirectoryLockTest, IsReleasedAlthoughAForkedChildLivesOn) {
    auto lock = take();
    const Child child([] { return true; });
    lock.reset();
    EXPECT_TRUE(isFree());
}

TEST_F(DirectoryLockTest, AForkedChildThatReleasesItsCopyLeavesItToItsParent) {
    auto lock = take();
    const Child child([&] {
        lock.reset();
        return true;
    });
    EXPECT_FALSE(isFree());
}

TEST_F(DirectoryLockTest, OfAKilledProcessTheChildThatStillHasItIsNamed) {
    pid_t orphan = 0;
    int toTest[2];
    ASSERT_EQ(0, ::pipe2(toTest, O_CLOEXEC));
    Child killed([&] {
        static_cast<void>(take().release());
        if (::fork() == 0) {
            ::prctl(PR_SET_NAME, "left behind");
            const pid_t self = ::getpid();
            if (::write(toTest[1], &self, sizeof self) == sizeof self)
                ::pause();
            ::_exit(1);
        }
        return true;
    });
    ASSERT_EQ(ssize_t{sizeof orphan}, ::read(toTest[0], &orphan, sizeof orphan));
    EXPECT_EQ(heldBy(killed.pid()), refusal());
    killed.finish();
    const Refusal refused = refusal();
    EXPECT_EQ(heldBy(orphan), refused);
    EXPECT_NE(refused.text.find("left behind (process "), std::string::npos) << refused.text;
    ::kill(orphan, SIGKILL);
    // It is not ours to wait for.
    EXPECT_NO_THROW(static_cast<void>(take(retryFor(std::chrono::seconds(20)))));
    ::close(toTest[0]);
    ::close(toTest[1]);
}

TEST_F(DirectoryLockTest, WhereThereIsNoneAWarningSaysSo) {
    for (const int error : {ENOTSUP, EINVAL, ENOLCK, EBADF, ENOSYS}) {
        RecordingAdminLog told;
        faulty.fail(Operation::lockDirectory, "", error);
        const DirectoryLock lock(
            StoreDirectory(faulty, directory.path()), [] { return true; }, told);
        ASSERT_EQ(1U, told.lines().size()) << error;
        EXPECT_EQ(0U, told.lines()[0].find("warning: cannot lock directory '" + directory.path()))
            << told.lines()[0];
    }
}

TEST_F(DirectoryLockTest, OtherFailuresAreErrorsAndLeaveNothingOpen) {
    for (const Operation operation : {Operation::open, Operation::lockDirectory}) {
        faulty.fail(operation, "", EACCES);
        try {
            static_cast<void>(take());
            FAIL();
        } catch (const Error &error) {
            EXPECT_EQ("cannot lock directory '" + directory.path() + "'", error.message());
            EXPECT_EQ(EACCES, error.systemErrno());
        }
        EXPECT_EQ(0U, faulty.openDescriptors());
    }
}

TEST(FlockHoldersIn, AreThoseWithAFlockOnTheFile) {
    const LockedFile file{0xfe, 0x10, 4096};
    const std::string others = "1: POSIX  ADVISORY  WRITE 11 fe:10:4096 0 0\n"
                               "2: FLOCK  ADVISORY  WRITE 12 fe:10:4097 0 EOF\n"
                               "3: FLOCK  ADVISORY  WRITE 13 fe:11:4096 0 EOF\n"
                               "4: OFDLCK ADVISORY  WRITE -1 fe:10:4096 0 EOF\n"
                               "5: LEASE  ACTIVE    READ  14 fe:10:4096 0 EOF\n"
                               "broken\n\n";
    EXPECT_TRUE(flockHoldersIn(others, file).empty());
    EXPECT_EQ((std::vector<pid_t>{15, 16}),
              flockHoldersIn(others + "6: FLOCK  ADVISORY  READ 15 fe:10:4096 0 EOF\n"
                                      "6: -> FLOCK  ADVISORY  WRITE 17 fe:10:4096 0 EOF\n"
                                      "7: FLOCK  ADVISORY  READ 16 fe:10:4096 0 EOF",
                             file));
}

} // namespace
} // namespace keyhold
