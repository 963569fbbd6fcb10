// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/durable_file.h"

#include "conf/bytes.h"
#include "conf/raised.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"
#include "os/temporary_directory.h"
#include "store/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using Effect = FaultyFileSystem::Effect;
using Calls = MemoryFileSystem::Calls;

class DurableFileTest : public testing::Test {
  protected:
    DurableFileTest() {
        disk.putDirectory("/d");
        directory = std::make_unique<StoreDirectory>(faulty, "/d");
        disk.clearTrace();
    }

    void put(const std::string &name, const std::string &content) {
        disk.putFile("/d/" + name, content);
    }

    void write(const std::string &name, const std::string &content) {
        writeSyncedFile(*directory, name, bytes(content));
    }

    /// Names and contents: "a=1 b=2".
    [[nodiscard]] std::string files() const {
        std::string out;
        for (const std::string &name : disk.names("/d"))
            out += (out.empty() ? "" : " ") + name + "=" + disk.content("/d/" + name).value_or("?");
        return out;
    }

    bool replace() { return replaceDurably(*directory, "new", "file", "old"); }
    bool remove() { return removeDurably(*directory, "file", "old"); }

    /// "raised", "rollback failed" or "done", and the errno.
    template <typename Action>
    std::string outcomeOf(Action action) {
        try {
            action();
        } catch (const RollbackFailedError &error) {
            return "rollback failed " + std::to_string(error.systemErrno());
        } catch (const Error &error) {
            return "raised " + std::to_string(error.systemErrno());
        }
        return "done";
    }

    const std::string raisedIo = "raised " + std::to_string(EIO);
    const std::string rollbackFailedIo = "rollback failed " + std::to_string(EIO);

    MemoryFileSystem disk;
    FaultyFileSystem faulty{disk};
    std::unique_ptr<StoreDirectory> directory;
};

TEST_F(DurableFileTest, AFileIsSyncedBeforeItIsClosed) {
    write("new", "content");
    EXPECT_THAT(disk.trace(Calls::all),
                ElementsAre("create /d/new", "chmod /d/new", "write /d/new", "sync /d/new",
                            "status /d/new", "statfs /d/new", "close /d/new"));
    EXPECT_EQ("new=content", files());
}

TEST_F(DurableFileTest, ALargeFileIsWrittenInPieces) {
    faulty.limitTransfers(3);
    write("new", "0123456789");
    EXPECT_EQ("new=0123456789", files());
}

TEST_F(DurableFileTest, AWriteThatTakesNothingIsAnErrorAndNotTriedForEver) {
    faulty.limitTransfers(3);
    faulty.fail(Operation::write, "new", 0, FaultyFileSystem::kAlways,
                FaultyFileSystem::Effect::none, 1);
    EXPECT_EQ(raisedIo, outcomeOf([&] { write("new", "0123456789"); }));
    EXPECT_EQ("", files());
}

TEST_F(DurableFileTest, AnEmptyFileIsWritten) {
    write("new", "");
    EXPECT_EQ("new=", files());
}

TEST_F(DurableFileTest, AStaleFileOfThatNameIsReplacedAndNotWrittenInto) {
    put("new", "a longer stale file");
    ASSERT_EQ(0, faulty.link(directory->number(), "new", "somebody's"));
    write("new", "content");
    EXPECT_EQ("new=content somebody's=a longer stale file", files());
}

TEST_F(DurableFileTest, ALinkOfThatNameIsReplacedAndNotFollowed) {
    disk.putDanglingLink("/d/new");
    write("new", "content");
    EXPECT_EQ("new=content", files());
}

TEST_F(DurableFileTest, ADirectoryOfThatNameIsAnError) {
    disk.putDirectory("/d/new");
    EXPECT_EQ((Raised{ErrorCode::fileAccess, "Failed to create file '/d/new'"}),
              raisedBy([&] { write("new", "content"); }));
    EXPECT_THAT(disk.names("/d"), ElementsAre("new"));
}

TEST_F(DurableFileTest, WhicheverStepOfAWriteFailsNoFileStays) {
    const struct {
        Operation operation;
        const char *text;
    } steps[] = {{Operation::open, "Failed to create file '/d/new'"},
                 {Operation::setMode, "cannot set mode of file '/d/new'"},
                 {Operation::write, "cannot write data to file '/d/new'"},
                 {Operation::sync, "cannot sync file '/d/new'"},
                 {Operation::close, "cannot save file '/d/new'"}};
    for (const auto &step : steps) {
        faulty.fail(step.operation, "new", ENOSPC);
        EXPECT_EQ((Raised{ErrorCode::fileAccess, step.text}),
                  raisedBy([&] { write("new", "content"); }));
        EXPECT_EQ("", files()) << step.text;
        EXPECT_EQ(1U, disk.openDescriptors()) << step.text;
    }
    write("new", "content");
    EXPECT_EQ("new=content", files());
}

TEST_F(DurableFileTest, AFirstFileHasItsNameOnlyOnceItIsDurable) {
    put("new", "1");
    disk.clearTrace();
    EXPECT_FALSE(replace());
    EXPECT_THAT(disk.trace(), ElementsAre("link /d/file -> /d/old = ENOENT",
                                          "rename /d/new -> /d/file", "sync /d"));
    EXPECT_EQ("file=1", files());
    EXPECT_TRUE(disk.allSynced("/d"));
}

TEST_F(DurableFileTest, AFormerFileIsKeptUntilTheDirectoryIsSynced) {
    put("file", "1");
    put("new", "2");
    disk.clearTrace();
    EXPECT_TRUE(replace());
    EXPECT_THAT(disk.trace(),
                ElementsAre("link /d/file -> /d/old", "rename /d/new -> /d/file", "sync /d"));
    EXPECT_EQ("file=2 old=1", files());
    EXPECT_TRUE(disk.allSynced("/d"));
}

TEST_F(DurableFileTest, AFailedSyncOfTheDirectoryIsTakenBackOnAFullDisk) {
    put("file", "1");
    put("new", "2");
    faulty.fail(Operation::sync, "/d", EIO);
    faulty.fail(Operation::open, "", ENOSPC, FaultyFileSystem::kAlways);
    faulty.fail(Operation::write, "", ENOSPC, FaultyFileSystem::kAlways);
    EXPECT_EQ(raisedIo, outcomeOf([&] { replace(); }));
    EXPECT_EQ("file=1", files());
    EXPECT_TRUE(disk.allSynced("/d"));
}

TEST_F(DurableFileTest, AFailedSyncAfterAFirstFileLeavesNone) {
    put("new", "1");
    faulty.fail(Operation::sync, "/d", EIO);
    EXPECT_EQ(raisedIo, outcomeOf([&] { replace(); }));
    EXPECT_EQ("", files());
    EXPECT_TRUE(disk.allSynced("/d"));
}

TEST_F(DurableFileTest, WhatCannotBeTakenBackIsTold) {
    put("file", "1");
    put("new", "2");
    faulty.fail(Operation::sync, "/d", EIO, 2);
    EXPECT_EQ(rollbackFailedIo, outcomeOf([&] { replace(); }));

    put("file", "1");
    put("new", "2");
    faulty.fail(Operation::sync, "/d", EIO);
    faulty.fail(Operation::rename, "old -> file", EROFS);
    const auto told = raisedBy([&] { replace(); });
    EXPECT_EQ(
        (Raised{ErrorCode::fileAccess, "cannot sync directory '/d', and the change could not be "
                                       "taken back: check the file system"}),
        told);
}

TEST_F(DurableFileTest, NothingIsDurableOnADiskThatIsGone) {
    for (const DiskLoss how : {DiskLoss::shutDown, DiskLoss::readOnly}) {
        put("file", "1");
        put("new", "2");
        const std::string errorNumber = std::to_string(how == DiskLoss::shutDown ? EIO : EROFS);
        bool isGone = false;
        faulty.before(Operation::sync, "/d", [&] {
            if (!std::exchange(isGone, true))
                faulty.loseDisk(how);
        });
        EXPECT_EQ("rollback failed " + errorNumber, outcomeOf([&] { replace(); }));
        faulty.clearFaults();

        put("file", "1");
        isGone = false;
        faulty.before(Operation::sync, "/d", [&] {
            if (!std::exchange(isGone, true))
                faulty.loseDisk(how);
        });
        EXPECT_EQ("rollback failed " + errorNumber, outcomeOf([&] { remove(); }));
        faulty.clearFaults();
    }
}

TEST_F(DurableFileTest, AFailedRenameLeavesEverythingAsItWas) {
    put("file", "1");
    put("new", "2");
    faulty.fail(Operation::rename, "new -> file", ENOSPC);
    EXPECT_EQ((Raised{ErrorCode::fileAccess, "cannot rename file '/d/new' as '/d/file'"}),
              raisedBy([&] { replace(); }));
    EXPECT_EQ("file=1", files());

    disk.removeAll("/d/file");
    put("new", "2");
    faulty.fail(Operation::rename, "new -> file", ENOSPC);
    EXPECT_EQ("raised " + std::to_string(ENOSPC), outcomeOf([&] { replace(); }));
    EXPECT_EQ("", files());
}

TEST_F(DurableFileTest, ARenameThatFailedAfterItWasDoneIsTakenBack) {
    put("file", "1");
    put("new", "2");
    faulty.fail(Operation::rename, "new -> file", EIO, 1, Effect::done);
    EXPECT_EQ(raisedIo, outcomeOf([&] { replace(); }));
    EXPECT_EQ("file=1", files());
    EXPECT_TRUE(disk.allSynced("/d"));
}

TEST_F(DurableFileTest, AStaleFileUnderTheOldNameIsInNobodysWay) {
    put("file", "1");
    put("new", "2");
    put("old", "stale");
    EXPECT_TRUE(replace());
    EXPECT_EQ("file=2 old=1", files());
}

TEST_F(DurableFileTest, WithoutHardLinksAFileIsStillReplaced) {
    for (const int refusal : {EPERM, EOPNOTSUPP, EMLINK}) {
        put("file", "1");
        put("new", "2");
        faulty.fail(Operation::link, "", refusal);
        EXPECT_FALSE(replace());
        EXPECT_EQ("file=2", files());
        EXPECT_TRUE(disk.allSynced("/d"));
    }
}

TEST_F(DurableFileTest, WithoutHardLinksAFailedSyncCannotBeTakenBackAndRemovesNothing) {
    put("file", "1");
    put("new", "2");
    faulty.fail(Operation::link, "", EPERM);
    faulty.fail(Operation::sync, "/d", EIO);
    EXPECT_EQ(rollbackFailedIo, outcomeOf([&] { replace(); }));
    EXPECT_EQ("file=2", files());
}

TEST_F(DurableFileTest, AFileThatMustBeKeptHasItsOtherNameDurablyBeforeTheNewOneComes) {
    put("file", "1");
    put("new", "2");
    disk.clearTrace();
    EXPECT_TRUE(replaceDurably(*directory, "new", "file", "old", Former::always));
    EXPECT_THAT(disk.trace(), ElementsAre("link /d/file -> /d/old", "sync /d",
                                          "rename /d/new -> /d/file", "sync /d"));
}

TEST_F(DurableFileTest, WithoutHardLinksAFileThatMustBeKeptIsRenamedFirst) {
    put("file", "1");
    put("new", "2");
    faulty.fail(Operation::link, "", EPERM);
    disk.clearTrace();
    EXPECT_TRUE(replaceDurably(*directory, "new", "file", "old", Former::always));
    EXPECT_THAT(disk.trace(), ElementsAre("rename /d/file -> /d/old", "sync /d",
                                          "rename /d/new -> /d/file", "sync /d"));
    EXPECT_EQ("file=2 old=1", files());
}

TEST_F(DurableFileTest, AFileThatWasRenamedComesBackIfTheChangeFails) {
    for (const Operation operation : {Operation::rename, Operation::sync}) {
        put("file", "1");
        put("new", "2");
        faulty.fail(Operation::link, "", EPERM);
        faulty.fail(operation, operation == Operation::rename ? "new -> file" : "/d", EIO);
        EXPECT_EQ(raisedIo, outcomeOf([&] {
                      static_cast<void>(
                          replaceDurably(*directory, "new", "file", "old", Former::always));
                  }));
        EXPECT_EQ("file=1", files());
        const auto live = disk.snapshot();
        std::mt19937_64 rng(1);
        disk.crashPowerLoss(rng);
        EXPECT_EQ("1", disk.content("/d/file"));
        disk.restore(live);
    }
}

TEST_F(DurableFileTest, AFileThatMustBeKeptAndCannotIsNotReplaced) {
    put("file", "1");
    put("new", "2");
    faulty.fail(Operation::link, "", EPERM);
    faulty.fail(Operation::rename, "file -> old", EROFS);
    EXPECT_EQ(
        (Raised{ErrorCode::fileAccess, "cannot rename file '/d/file' as '/d/old'"}), raisedBy([&] {
            static_cast<void>(replaceDurably(*directory, "new", "file", "old", Former::always));
        }));
    EXPECT_EQ("file=1", files());
}

TEST_F(DurableFileTest, ARemovedFileIsKeptUntilTheDirectoryIsSynced) {
    put("file", "1");
    disk.clearTrace();
    EXPECT_TRUE(remove());
    EXPECT_THAT(disk.trace(), ElementsAre("rename /d/file -> /d/old", "sync /d"));
    EXPECT_EQ("old=1", files());
}

TEST_F(DurableFileTest, RemovingWhatIsNotThereChangesNothing) {
    put("old", "stale");
    EXPECT_FALSE(remove());
    EXPECT_EQ("old=stale", files());
}

TEST_F(DurableFileTest, ARemovalWhoseSyncFailedIsTakenBack) {
    put("file", "1");
    faulty.fail(Operation::sync, "/d", EIO);
    EXPECT_EQ((Raised{ErrorCode::fileAccess, "cannot sync directory '/d'"}),
              raisedBy([&] { remove(); }));
    EXPECT_EQ("file=1", files());
    EXPECT_TRUE(disk.allSynced("/d"));
}

TEST_F(DurableFileTest, ARemovalThatFailedIsToldInStocksWords) {
    put("file", "1");
    for (const Effect effect : {Effect::none, Effect::done}) {
        faulty.fail(Operation::rename, "file -> old", EIO, 1, effect);
        EXPECT_EQ((Raised{ErrorCode::systemCall, "cannot unlink '/d/file'"}),
                  raisedBy([&] { remove(); }));
        EXPECT_EQ("file=1", files());
    }
}

TEST_F(DurableFileTest, ARemovalThatCannotBeTakenBackIsTold) {
    put("file", "1");
    faulty.fail(Operation::sync, "/d", EIO);
    faulty.fail(Operation::rename, "old -> file", EIO);
    EXPECT_EQ(rollbackFailedIo, outcomeOf([&] { remove(); }));
    EXPECT_EQ("old=1", files());
}

TEST(DurableFileOnTheKernelTest, TheModeIs0600WhateverTheUmask) {
    const TemporaryDirectory temporary;
    StoreDirectory directory(posixFileSystem(), temporary.path());
    const mode_t before = ::umask(0);
    for (const mode_t mask : {mode_t{0}, mode_t{077}, mode_t{0777}}) {
        ::umask(mask);
        writeSyncedFile(directory, "file", bytes("content"));
        struct stat status;
        ASSERT_EQ(0, ::stat((temporary.path() + "/file").c_str(), &status));
        EXPECT_EQ(S_IFREG | mode_t{0600}, status.st_mode) << mask;
    }
    ::umask(before);
}

TEST(DurableFileOnTheKernelTest, AFileOfOthersUnderAPrivateNameIsNotWrittenThrough) {
    const TemporaryDirectory temporary;
    StoreDirectory directory(posixFileSystem(), temporary.path());
    writeSyncedFile(directory, "precious", bytes("precious"));
    std::filesystem::create_symlink("precious", temporary.path() + "/new");
    writeSyncedFile(directory, "new", bytes("content"));
    EXPECT_EQ(8U, std::filesystem::file_size(temporary.path() + "/precious"));
    EXPECT_FALSE(std::filesystem::is_symlink(temporary.path() + "/new"));
}

} // namespace
} // namespace keyhold
