// SPDX-License-Identifier: LGPL-2.1-or-later
// What only the kernel's file system has to show; the rest is in file_system_contract_test.cpp.
#include "os/file_system.h"

#include "os/child_process.h"
#include "os/temporary_directory.h"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace keyhold {
namespace {

class PosixFileSystemTest : public ::testing::Test {
  protected:
    void SetUp() override {
        directory = files.openDirectory(temporary.path());
        ASSERT_GE(directory, 0);
    }
    void TearDown() override { EXPECT_EQ(0, files.close(directory)); }

    TemporaryDirectory temporary;
    FileSystem &files = posixFileSystem();
    int directory = -1;
};

std::size_t openDescriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

TEST_F(PosixFileSystemTest, IsOneObject) {
    EXPECT_EQ(&posixFileSystem(), &posixFileSystem());
}

TEST_F(PosixFileSystemTest, DescriptorsAreNotInherited) {
    int file = files.open(directory, "file", O_WRONLY | O_CREAT, 0600);
    EXPECT_EQ(FD_CLOEXEC, ::fcntl(directory, F_GETFD));
    EXPECT_EQ(FD_CLOEXEC, ::fcntl(file, F_GETFD));
    EXPECT_EQ(0, files.close(file));
}

TEST_F(PosixFileSystemTest, NoCallLeavesADescriptor) {
    const std::size_t before = openDescriptors();
    EXPECT_EQ(0, files.makePath(temporary.path() + "/a/b"));
    EXPECT_EQ(0, files.list(directory, [](const char *) {}));
    EXPECT_THROW(files.list(directory, [](const char *) { throw 1; }), int);
    FileStatus status;
    EXPECT_EQ(0, files.statusOf(temporary.path(), status));
    EXPECT_EQ(before, openDescriptors());
}

TEST_F(PosixFileSystemTest, StatusFollowsLinks) {
    int file = files.open(directory, "file", O_WRONLY | O_CREAT, 0600);
    EXPECT_EQ(0, files.close(file));
    std::filesystem::create_symlink("file", temporary.path() + "/link");
    FileStatus ofFile;
    FileStatus ofLink;
    ASSERT_EQ(0, files.statusAt(directory, "file", ofFile));
    ASSERT_EQ(0, files.statusAt(directory, "link", ofLink));
    EXPECT_EQ(ofFile.inode, ofLink.inode);
    EXPECT_TRUE(S_ISREG(ofLink.mode));
    struct stat expected;
    ASSERT_EQ(0, ::stat((temporary.path() + "/file").c_str(), &expected));
    EXPECT_EQ(expected.st_dev, ofFile.device);
    EXPECT_EQ(expected.st_ino, ofFile.inode);
    EXPECT_EQ(expected.st_uid, ofFile.owner);
    EXPECT_EQ(expected.st_ctim.tv_sec * 1'000'000'000 + expected.st_ctim.tv_nsec, ofFile.changed);
}

TEST_F(PosixFileSystemTest, AStatusByNameIsNotOneThatTheMachineRemembers) {
    EXPECT_EQ(0, files.close(files.open(directory, "file", O_WRONLY | O_CREAT, 0600)));
    FileStatus status;
    EXPECT_EQ(0, inChild([&] {
                  if (!refuse(SYS_statx, ESTALE, 2, AT_STATX_FORCE_SYNC) ||
                      !refuse(SYS_newfstatat, ESTALE))
                      return 200;
                  return -files.statusAt(directory, "file", status);
              }));
}

TEST_F(PosixFileSystemTest, AStatusNeedsNoStatx) {
    EXPECT_EQ(0, files.close(files.open(directory, "file", O_WRONLY | O_CREAT, 0600)));
    FileStatus expected;
    ASSERT_EQ(0, files.statusAt(directory, "file", expected));
    EXPECT_NE(0, expected.born);
    expected.born = 0; // statx alone has that
    for (const int error : {ENOSYS, EPERM}) {
        EXPECT_EQ(0, inChild([&] {
                      if (!refuse(SYS_statx, error))
                          return 200;
                      FileStatus status;
                      const int result = files.statusAt(directory, "file", status);
                      return result != 0 ? -result : status.isUnchangedSince(expected) ? 0 : 201;
                  }));
    }
}

TEST_F(PosixFileSystemTest, ASyncIsNotBelievedOnceTheFileSystemDoesNotAnswer) {
    for (const char *name : {".", "file"}) {
        const int file = ::openat(directory, name, O_RDONLY | O_CREAT * (name[0] != '.'), 0600);
        ASSERT_EQ(0, files.sync(file));
        EXPECT_EQ(EIO, inChild([&] {
                      // As the C library asks fstat.
                      if (!refuse(SYS_newfstatat, EIO) || !refuse(SYS_fstat, EIO))
                          return 200;
                      return -files.sync(file);
                  }));
        EXPECT_EQ(0, files.close(file));
    }
}

TEST_F(PosixFileSystemTest, ASyncIsNotBelievedOnceTheFileSystemIsReadOnly) {
    EXPECT_EQ(EROFS, inChild([&] {
                  const int ofUser = ::geteuid() == 0 ? 0 : CLONE_NEWUSER;
                  const char *const place = temporary.path().c_str();
                  if (::unshare(CLONE_NEWNS | ofUser) != 0 ||
                      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                      ::mount("tmpfs", place, "tmpfs", 0, nullptr) != 0)
                      return 200;
                  const int opened = files.openDirectory(place);
                  if (files.isReadOnly(opened) != 0 || files.sync(opened) != 0)
                      return 201;
                  if (::mount(nullptr, place, nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
                      return 202;
                  return files.fsync(opened) != 0 ? 203 : -files.sync(opened);
              }));
}

TEST_F(PosixFileSystemTest, ASyncIsBelievedWhereNobodySaysWhetherItIsReadOnly) {
    EXPECT_EQ(0,
              inChild([&] { return refuse(SYS_fstatfs, ENOSYS) ? -files.sync(directory) : 200; }));
    EXPECT_EQ(EIO,
              inChild([&] { return refuse(SYS_fstatfs, EIO) ? -files.sync(directory) : 200; }));
}

TEST_F(PosixFileSystemTest, LinkDoesNotFollowLinks) {
    std::filesystem::create_symlink("nowhere", temporary.path() + "/link");
    EXPECT_EQ(0, files.link(directory, "link", "second"));
    EXPECT_TRUE(std::filesystem::is_symlink(temporary.path() + "/second"));
}

TEST_F(PosixFileSystemTest, ALockIsSeenByOtherProcesses) {
    int file = files.open(directory, "lock", O_RDWR | O_CREAT, 0600);
    auto lockInChild = [&] {
        return inChild([&] {
            int again = files.open(directory, "lock", O_RDWR, 0);
            int result = files.lock(again);
            return result == -EAGAIN || result == -EACCES ? 1 : result != 0 ? 2 : 0;
        });
    };
    EXPECT_EQ(0, lockInChild());
    ASSERT_EQ(0, files.lock(file));
    EXPECT_EQ(1, lockInChild());
    EXPECT_EQ(0, files.close(file));
    EXPECT_EQ(0, lockInChild());
}

TEST_F(PosixFileSystemTest, TheLockIsOnTheFirstByteOnly) {
    int file = files.open(directory, "lock", O_RDWR | O_CREAT, 0600);
    ASSERT_EQ(0, files.lock(file));
    auto holder = [&](off_t start) {
        return inChild([&] {
            struct flock range {};
            range.l_type = F_WRLCK;
            range.l_start = start;
            range.l_len = 1;
            return ::fcntl(file, F_GETLK, &range) != 0 ? 3 : range.l_type == F_UNLCK ? 0 : 1;
        });
    };
    EXPECT_EQ(1, holder(0));
    EXPECT_EQ(0, holder(1));
    EXPECT_EQ(0, files.close(file));
}

TEST_F(PosixFileSystemTest, MakePathWorksBelowADirectoryThatMayNotBeRead) {
    const std::string closed = temporary.path() + "/closed";
    ASSERT_EQ(0, ::mkdir(closed.c_str(), 0700));
    ASSERT_EQ(0, ::chmod(temporary.path().c_str(), 0711));
    ASSERT_EQ(0, ::chmod(closed.c_str(), 0333));
    // As somebody whom permissions bind, which root is not.
    const uid_t somebody = ::geteuid() == 0 ? 65534 : ::geteuid();
    if (::geteuid() == 0) {
        ASSERT_EQ(0, ::chown(closed.c_str(), somebody, static_cast<gid_t>(-1)));
    }
    EXPECT_EQ(0, inChild([&] {
                  if (::setresuid(somebody, somebody, somebody) != 0)
                      return 9;
                  return -files.makePath(closed + "/a/b");
              }));
    EXPECT_EQ(0, ::chmod(closed.c_str(), 0700));
    EXPECT_TRUE(std::filesystem::is_directory(closed + "/a/b"));
}

TEST_F(PosixFileSystemTest, WhatAProcessMadeThatWasKilledBeforeItsSyncIsSyncedByTheNext) {
    ASSERT_EQ(0, files.makePath(temporary.path() + "/a"));
    const std::string path = temporary.path() + "/a/b";
    const auto makePathWithoutSync = [&](int error) {
        return inChild([&] { return refuse(SYS_fsync, error) ? -files.makePath(path) : 200; });
    };
    // What a failure leaves is what a kill leaves: the directory is there.
    EXPECT_EQ(ESTALE, makePathWithoutSync(ESTALE));
    ASSERT_TRUE(std::filesystem::is_directory(path));
    EXPECT_EQ(ESTALE, makePathWithoutSync(ESTALE));
    EXPECT_EQ(0, files.makePath(path));
    FileStatus status;
    ASSERT_EQ(0, files.statusOf(path, status));
    EXPECT_EQ(S_IFDIR | mode_t{0700}, status.mode);
    EXPECT_EQ(0, makePathWithoutSync(ESTALE)); // needs none any more
}

TEST_F(PosixFileSystemTest, MakePathWorksWhereDirectoriesCannotBeSynced) {
    EXPECT_EQ(0, inChild([&] {
                  return refuse(SYS_fsync, EINVAL) ? -files.makePath(temporary.path() + "/a/b")
                                                   : 200;
              }));
    FileStatus status;
    ASSERT_EQ(0, files.statusOf(temporary.path() + "/a/b", status));
    EXPECT_EQ(S_IFDIR | mode_t{0700}, status.mode);
}

TEST_F(PosixFileSystemTest, MakePathLeavesTheModeOfOtherPeoplesDirectories) {
    const std::string path = temporary.path() + "/a";
    ASSERT_EQ(0, ::mkdir(path.c_str(), 0700));
    for (const mode_t mode : {01777, 01750, 02700, 0500, 0755}) {
        ASSERT_EQ(0, ::chmod(path.c_str(), mode));
        EXPECT_EQ(0, files.makePath(path));
        FileStatus status;
        ASSERT_EQ(0, files.statusOf(path, status));
        EXPECT_EQ(S_IFDIR | mode, status.mode);
    }
}

TEST_F(PosixFileSystemTest, MakePathAnswersTheErrorOfMkdir) {
    EXPECT_EQ(-ENOENT, files.makePath("/proc/keyhold"));
}

} // namespace
} // namespace keyhold
