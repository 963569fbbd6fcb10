// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/trail_file.h"

#include "audit/record.h"
#include "audit/trail_fixture.h"
#include "os/store_lock.h"

#include <cerrno>

namespace keyhold::audit {
namespace {

class TrailFileTest : public TrailTest {
  protected:
    /// `count` lines after `head`, which goes on.
    static std::string next(Head &head, int count) {
        std::string text;
        for (int i = 0; i < count; ++i)
            appendLine(text, textOf(ofDriver(Action::started), head.sequence + 1, {}), head,
                       nullptr);
        return text;
    }
    static std::string messageOf(const std::function<void()> &work) {
        try {
            work();
        } catch (const Error &error) {
            return error.fullText();
        }
        return {};
    }
};

TEST_F(TrailFileTest, IsMadeWithItsDirectoriesForItsOwnerAlone) {
    const TrailFile file(files, kFile);
    EXPECT_TRUE(file.wasEmpty());
    FileStatus status;
    ASSERT_EQ(0, disk.statusOf(kFile, status));
    EXPECT_EQ(mode_t{0600}, status.mode & 0777);
}

TEST_F(TrailFileTest, GoesOnWhereItStood) {
    Head head;
    const std::string text = next(head, 3);
    TrailFile(files, kFile).append(text, true);
    TrailFile file(files, kFile);
    EXPECT_EQ(3U, file.openedAt().sequence);
    EXPECT_EQ(head.chain, file.openedAt().chain);
    file.append(next(head, 2), true);
    EXPECT_EQ(5U, lines().size());
    EXPECT_TRUE(disk.allSynced("/log"));
}

TEST_F(TrailFileTest, CutsAnUnfinishedLineOff) {
    Head head;
    const std::string text = next(head, 2);
    disk.putFile(kFile, text + text.substr(0, 30));
    const TrailFile file(files, kFile);
    EXPECT_EQ(2U, file.openedAt().sequence);
    EXPECT_EQ(30, file.tornBytes());
    EXPECT_EQ(text, disk.content(kFile));
}

TEST_F(TrailFileTest, AFileOfOneUnfinishedLineIsEmpty) {
    disk.putFile(kFile, "{\"@time");
    const TrailFile file(files, kFile);
    EXPECT_TRUE(file.wasEmpty());
    EXPECT_EQ("", disk.content(kFile));
}

TEST_F(TrailFileTest, WhatIsNoTrailStaysAsItIs) {
    for (const std::string &other :
         {std::string("hello\n"), std::string("{}\n"), std::string(200'000, 'x'),
          std::string(32, 'k'), std::string("{\"a\":")}) {
        disk.putFile(kFile, other);
        EXPECT_NE("", messageOf([&] { TrailFile(files, kFile); }));
        EXPECT_EQ(other, disk.content(kFile));
    }
    disk.removeAll(kFile);
    disk.putFifo(kFile);
    EXPECT_EQ("'/log/audit.jsonl' is not a regular file, and cannot be an audit trail",
              messageOf([&] { TrailFile(files, kFile); }));
}

TEST_F(TrailFileTest, HasOneWriter) {
    const TrailFile first(files, kFile);
    EXPECT_THROW(TrailFile(files, kFile), LockedError);
}

TEST_F(TrailFileTest, SeesWhatBecomesOfItsName) {
    Head head;
    TrailFile file(files, kFile);
    file.append(next(head, 2), false);
    EXPECT_EQ(TrailFile::State::same, file.look());
    const int directory = disk.openDirectory("/log");
    disk.rename(directory, "audit.jsonl", "audit.jsonl.1");
    EXPECT_EQ(TrailFile::State::replaced, file.look());
    disk.putFile(kFile, "");
    EXPECT_EQ(TrailFile::State::replaced, file.look());
    disk.rename(directory, "audit.jsonl.1", "audit.jsonl");
    EXPECT_EQ(TrailFile::State::same, file.look());
    disk.truncate(disk.open(directory, "audit.jsonl", 1 /* O_WRONLY */, 0), 0);
    EXPECT_EQ(TrailFile::State::shorter, file.look());
}

TEST_F(TrailFileTest, AFailedAppendLeavesNothing) {
    Head head;
    TrailFile file(files, kFile);
    const std::string text = next(head, 2);
    file.append(text, true);
    files.limitTransfers(10);
    files.fail(Operation::write, "audit", ENOSPC, 1, FaultyFileSystem::Effect::none, 3);
    EXPECT_EQ("cannot write the audit trail '/log/audit.jsonl': No space left on device",
              messageOf([&] { file.append(next(head, 1), true); }));
    EXPECT_EQ(text, disk.content(kFile));
    files.clearFaults();
    files.fail(Operation::sync, "audit", EIO);
    EXPECT_NE("", messageOf([&] { file.append(next(head, 1), true); }));
    EXPECT_EQ(text, disk.content(kFile));
}

} // namespace
} // namespace keyhold::audit
