// SPDX-License-Identifier: LGPL-2.1-or-later
// What every FileSystem does with files, shown of the kernel's and of the one in memory that stands
// in for it. With their names: file_system_names_test.cpp.
#include "os/file_system_contract.h"

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace keyhold {
namespace {

INSTANTIATE_TEST_SUITE_P(All, FileSystemContract,
                         ::testing::Values(Maker{"kernel", make<PosixSubject>},
                                           Maker{"memory", make<MemorySubject>},
                                           Maker{"decorated", make<DecoratedSubject>}),
                         [](const auto &test) { return test.param.name; });

TEST_P(FileSystemContract, OpenAnswersErrors) {
    put("file", "x");
    EXPECT_EQ(-ENOENT, files.open(directory, "missing", O_RDONLY, 0));
    EXPECT_EQ(-ENOENT, files.open(directory, "missing/file", O_WRONLY | O_CREAT, 0600));
    EXPECT_EQ(-ENOTDIR, files.open(directory, "file/file", O_RDONLY, 0));
    EXPECT_EQ(-EEXIST, files.open(directory, "file", O_WRONLY | O_CREAT | O_EXCL, 0600));
    EXPECT_EQ(-EBADF, files.open(-5, "file", O_RDONLY, 0));
    EXPECT_EQ(-ENAMETOOLONG,
              files.open(directory, std::string(256, 'n').c_str(), O_WRONLY | O_CREAT, 0600));
}

TEST_P(FileSystemContract, ContentIsReadBack) {
    put("file", "first");
    EXPECT_EQ("first", get("file"));
    put("file", "2nd");
    EXPECT_EQ("2nd", get("file"));
}

TEST_P(FileSystemContract, ReadAndWriteMoveTheOffset) {
    int file = files.open(directory, "file", O_RDWR | O_CREAT | O_EXCL, 0600);
    ASSERT_GE(file, 0);
    EXPECT_EQ(3, files.write(file, "abc", 3));
    EXPECT_EQ(3, files.write(file, "def", 3));
    char byte = 0;
    EXPECT_EQ(0, files.read(file, &byte, 1));
    EXPECT_EQ(0, files.close(file));
    file = files.open(directory, "file", O_RDONLY, 0);
    char part[4];
    EXPECT_EQ(4, files.read(file, part, sizeof part));
    EXPECT_EQ("abcd", std::string(part, 4));
    EXPECT_EQ("ef", readAll(file));
    EXPECT_EQ(0, files.close(file));
}

TEST_P(FileSystemContract, ReadAtLeavesThePositionOfReadAlone) {
    put("file", "abcdef");
    const int file = files.open(directory, "file", O_RDONLY, 0);
    char part[4];
    EXPECT_EQ(2, files.readAt(file, part, sizeof part, 4));
    EXPECT_EQ("ef", std::string(part, 2));
    EXPECT_EQ(0, files.readAt(file, part, sizeof part, 6));
    EXPECT_EQ("abcdef", readAll(file));
    EXPECT_EQ(0, files.close(file));
    EXPECT_EQ(-EBADF, files.readAt(file, part, sizeof part, 0));
}

TEST_P(FileSystemContract, ADescriptorDoesOnlyWhatItWasOpenedFor) {
    put("file", "x");
    char byte = 0;
    int file = files.open(directory, "file", O_RDONLY, 0);
    EXPECT_EQ(-EBADF, files.write(file, &byte, 1));
    EXPECT_EQ(-EBADF, files.lock(file));
    EXPECT_EQ(-EINVAL, files.truncate(file, 0));
    EXPECT_EQ(0, files.close(file));
    EXPECT_EQ(-EBADF, files.close(file));
    file = files.open(directory, "file", O_WRONLY, 0);
    EXPECT_EQ(-EBADF, files.read(file, &byte, 1));
    EXPECT_EQ(0, files.close(file));
    EXPECT_EQ(-EISDIR, files.read(directory, &byte, 1));
    EXPECT_EQ(-EISDIR, files.open(directory, ".", O_RDWR, 0));
}

TEST_P(FileSystemContract, StatusTellsTypeSizeLinksAndChange) {
    put("file", "12345");
    FileStatus before;
    ASSERT_EQ(0, files.statusAt(directory, "file", before));
    EXPECT_EQ(S_IFREG | mode_t{0600}, before.mode);
    EXPECT_EQ(5, before.size);
    EXPECT_EQ(nlink_t{1}, before.links);
    ASSERT_EQ(0, files.link(directory, "file", "other"));
    int file = files.open(directory, "other", O_RDONLY, 0);
    FileStatus after;
    ASSERT_EQ(0, files.status(file, after));
    EXPECT_EQ(0, files.close(file));
    EXPECT_EQ(before.inode, after.inode);
    EXPECT_EQ(before.device, after.device);
    EXPECT_EQ(before.owner, after.owner);
    EXPECT_EQ(nlink_t{2}, after.links);
    EXPECT_GE(after.changed, before.changed);
    EXPECT_EQ(-ENOENT, files.statusAt(directory, "missing", after));
    EXPECT_EQ(-ENOENT, files.statusOf(path("missing"), after));
}

TEST_P(FileSystemContract, AStatusIsTheSameByNameAndByDescriptor) {
    put("file", "12345");
    ASSERT_EQ(0, files.makePath(path("folder")));
    for (const char *name : {"file", "folder", "."}) {
        const int opened = files.open(directory, name, O_RDONLY, 0);
        FileStatus byDescriptor;
        FileStatus byName;
        FileStatus byPath;
        EXPECT_EQ(0, files.status(opened, byDescriptor));
        EXPECT_EQ(0, files.statusAt(directory, name, byName));
        EXPECT_EQ(0, files.statusOf(path(name), byPath));
        byName.born = 0; // it alone has that
        EXPECT_TRUE(byDescriptor.isUnchangedSince(byName)) << name;
        EXPECT_TRUE(byDescriptor.isUnchangedSince(byPath)) << name;
        EXPECT_EQ(0, files.close(opened));
    }
}

TEST_P(FileSystemContract, SpecialFilesAreSeenAndDoNotWait) {
    subject->makeFifo(path("fifo"));
    subject->makeDanglingLink(path("link"));
    ASSERT_EQ(0, files.makePath(path("folder")));
    FileStatus status;
    EXPECT_EQ(0, files.statusAt(directory, "fifo", status));
    EXPECT_TRUE(S_ISFIFO(status.mode));
    EXPECT_EQ(0, files.statusAt(directory, "folder", status));
    EXPECT_TRUE(S_ISDIR(status.mode));
    EXPECT_EQ(-ENOENT, files.statusAt(directory, "link", status));

    int fifo = files.open(directory, "fifo", O_RDONLY | O_NONBLOCK, 0);
    ASSERT_GE(fifo, 0);
    ASSERT_EQ(0, files.status(fifo, status));
    EXPECT_TRUE(S_ISFIFO(status.mode));
    EXPECT_EQ(0, files.close(fifo));
    EXPECT_EQ(-ENOENT, files.open(directory, "link", O_RDONLY, 0));
    EXPECT_EQ(-ELOOP, files.open(directory, "link", O_RDONLY | O_NOFOLLOW, 0));
    EXPECT_EQ(-EEXIST, files.open(directory, "link", O_WRONLY | O_CREAT | O_EXCL, 0600));
    EXPECT_EQ((Names{"fifo", "folder", "link"}), names());
    EXPECT_EQ(0, files.unlink(directory, "link"));
    EXPECT_EQ(0, files.unlink(directory, "fifo"));
    EXPECT_EQ(-EISDIR, files.unlink(directory, "folder"));
}

TEST_P(FileSystemContract, SetModeSetsThePermissionsOnly) {
    int file = files.open(directory, "file", O_WRONLY | O_CREAT, 0400);
    EXPECT_EQ(0, files.setMode(file, 0600));
    FileStatus status;
    ASSERT_EQ(0, files.status(file, status));
    EXPECT_EQ(S_IFREG | mode_t{0600}, status.mode);
    EXPECT_EQ(0, files.close(file));
    EXPECT_EQ(-EBADF, files.setMode(file, 0600));
}

TEST_P(FileSystemContract, AnUnlinkedOpenFileCanStillBeRead) {
    put("a", "still here");
    int file = files.open(directory, "a", O_RDONLY, 0);
    EXPECT_EQ(0, files.unlink(directory, "a"));
    EXPECT_EQ(-ENOENT, files.unlink(directory, "a"));
    FileStatus status;
    ASSERT_EQ(0, files.status(file, status));
    EXPECT_EQ(nlink_t{0}, status.links);
    EXPECT_EQ("still here", readAll(file));
    EXPECT_EQ(0, files.close(file));
}

TEST_P(FileSystemContract, SyncTakesFilesAndDirectories) {
    int file = files.open(directory, "a", O_WRONLY | O_CREAT, 0600);
    EXPECT_EQ(0, files.sync(file));
    EXPECT_EQ(0, files.sync(directory));
    EXPECT_EQ(0, files.close(file));
    EXPECT_EQ(-EBADF, files.sync(file));
}

TEST_P(FileSystemContract, AWritableFileSystemIsNotReadOnly) {
    EXPECT_EQ(0, files.isReadOnly(directory));
    EXPECT_EQ(-EBADF, files.isReadOnly(-5));
}

// The kernel's own file systems are in tests/faults.
TEST_P(FileSystemContract, ASyncIsNotBelievedOnceTheDiskIsGone) {
    for (const auto &[how, error] :
         {std::pair(DiskLoss::shutDown, EIO), std::pair(DiskLoss::readOnly, EROFS)}) {
        const int file = files.open(directory, "a", O_WRONLY | O_CREAT, 0600);
        if (!subject->loseDisk(how)) {
            EXPECT_STREQ("kernel", GetParam().name);
            EXPECT_EQ(0, files.close(file));
            continue;
        }
        for (const int opened : {file, directory}) {
            EXPECT_EQ(0, files.fsync(opened));
            EXPECT_EQ(-error, files.sync(opened));
        }
        EXPECT_EQ(-error, files.rename(directory, "a", "b"));
        subject->restoreDisk();
        EXPECT_EQ(0, files.sync(file));
        EXPECT_EQ(0, files.close(file));
        EXPECT_EQ(Names{"a"}, names());
    }
}

TEST_P(FileSystemContract, TruncateShortensAndFills) {
    put("a", "12345");
    int file = files.open(directory, "a", O_RDWR, 0);
    EXPECT_EQ(0, files.truncate(file, 2));
    EXPECT_EQ(0, files.truncate(file, 4));
    EXPECT_EQ(std::string("12\0\0", 4), readAll(file));
    EXPECT_EQ(-EINVAL, files.truncate(file, -1));
    EXPECT_EQ(0, files.close(file));
}

TEST_P(FileSystemContract, OneProcessTakesItsLockTwice) {
    int file = files.open(directory, "lock", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(0, files.lock(file));
    EXPECT_EQ(0, files.lock(file));
    EXPECT_EQ(0, files.close(file));
}

} // namespace
} // namespace keyhold
