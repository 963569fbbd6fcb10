// SPDX-License-Identifier: LGPL-2.1-or-later
// What every FileSystem does with names and directories, beside file_system_contract_test.cpp.
#include "os/file_system_contract.h"

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace keyhold {
namespace {

TEST_P(FileSystemContract, MakePathMakesMissingParentsPrivate) {
    EXPECT_EQ(0, files.makePath(path("a/b//c")));
    FileStatus status;
    for (const char *made : {"a", "a/b", "a/b/c"}) {
        ASSERT_EQ(0, files.statusOf(path(made), status));
        EXPECT_EQ(S_IFDIR | mode_t{0700}, status.mode) << made;
    }
}

TEST_P(FileSystemContract, MakePathAcceptsWhatIsThere) {
    EXPECT_EQ(0, files.makePath(path("a/b")));
    EXPECT_EQ(0, files.makePath(path("a/b")));
    EXPECT_EQ(0, files.makePath(path("a/b/")));
    EXPECT_EQ(0, files.makePath("/"));
}

TEST_P(FileSystemContract, MakePathRefusesAFileOnTheWay) {
    put("file", "");
    EXPECT_EQ(-ENOTDIR, files.makePath(path("file")));
    EXPECT_EQ(-ENOTDIR, files.makePath(path("file/below")));
    EXPECT_EQ(-ENOENT, files.makePath(""));
    EXPECT_EQ(Names{"file"}, names());
}

TEST_P(FileSystemContract, OpenDirectoryRefusesOthers) {
    put("file", "");
    EXPECT_EQ(-ENOTDIR, files.openDirectory(path("file")));
    EXPECT_EQ(-ENOENT, files.openDirectory(path("missing")));
}

TEST_P(FileSystemContract, ExistsDoesNotFollowLinks) {
    subject->makeDanglingLink(path("link"));
    put("file", "");
    EXPECT_EQ(0, files.exists(directory, "link"));
    EXPECT_EQ(0, files.exists(directory, "file"));
    EXPECT_EQ(-ENOENT, files.exists(directory, "missing"));
    EXPECT_EQ(-ENOTDIR, files.exists(directory, "file/below"));
    EXPECT_EQ(-EBADF, files.exists(-5, "file"));
}

TEST_P(FileSystemContract, RenameReplaces) {
    put("a", "of a");
    put("b", "of b");
    EXPECT_EQ(0, files.rename(directory, "a", "b"));
    EXPECT_EQ("of a", get("b"));
    EXPECT_EQ(Names{"b"}, names());
    EXPECT_EQ(-ENOENT, files.rename(directory, "a", "b"));
    ASSERT_EQ(0, files.makePath(path("folder")));
    EXPECT_EQ(-EISDIR, files.rename(directory, "b", "folder"));
    EXPECT_EQ(-ENOTDIR, files.rename(directory, "folder", "b"));
}

TEST_P(FileSystemContract, RenameOfTwoNamesOfOneFileChangesNothing) {
    put("a", "x");
    ASSERT_EQ(0, files.link(directory, "a", "b"));
    EXPECT_EQ(0, files.rename(directory, "a", "b"));
    EXPECT_EQ((Names{"a", "b"}), names());
}

TEST_P(FileSystemContract, LinkGivesASecondName) {
    put("a", "x");
    EXPECT_EQ(0, files.link(directory, "a", "b"));
    EXPECT_EQ(-EEXIST, files.link(directory, "a", "b"));
    EXPECT_EQ(-ENOENT, files.link(directory, "missing", "c"));
    EXPECT_EQ(0, files.unlink(directory, "a"));
    EXPECT_EQ("x", get("b"));
}

TEST_P(FileSystemContract, ListCanBeCalledAgainAndFromItself) {
    put("a", "");
    put("b", "");
    std::size_t visits = 0;
    EXPECT_EQ(0, files.list(directory, [&](const char *) {
        EXPECT_EQ((Names{"a", "b"}), names());
        ++visits;
    }));
    EXPECT_EQ(2U, visits);
    EXPECT_EQ((Names{"a", "b"}), names());
    int file = files.open(directory, "a", O_RDONLY, 0);
    EXPECT_EQ(-ENOTDIR, files.list(file, [](const char *) {}));
    EXPECT_EQ(0, files.close(file));
    EXPECT_EQ(-EBADF, files.list(file, [](const char *) {}));
}

TEST_P(FileSystemContract, ListLetsAnExceptionOfTheVisitorThrough) {
    put("a", "");
    EXPECT_THROW(files.list(directory, [](const char *) { throw 7; }), int);
    EXPECT_EQ(Names{"a"}, names());
}

TEST_P(FileSystemContract, ListsAtTheSameTimeAreEachComplete) {
    Names expected;
    for (int i = 0; i < 300; ++i) {
        expected.push_back("file" + std::to_string(1000 + i));
        put(expected.back().c_str(), "");
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int round = 0; round < 20; ++round)
                EXPECT_EQ(expected, names());
        });
    for (std::thread &thread : threads)
        thread.join();
}

TEST_P(FileSystemContract, ALockOfADirectoryBelongsToOneOpenOfIt) {
    int first = files.open(directory, ".", O_RDONLY | O_DIRECTORY, 0);
    int second = files.open(directory, ".", O_RDONLY | O_DIRECTORY, 0);
    EXPECT_EQ(0, files.lockDirectory(first));
    EXPECT_EQ(0, files.lockDirectory(first));
    EXPECT_EQ(-EWOULDBLOCK, files.lockDirectory(second));
    EXPECT_EQ(0, files.unlockDirectory(first));
    EXPECT_EQ(0, files.lockDirectory(second));
    EXPECT_EQ(-EWOULDBLOCK, files.lockDirectory(first));
    EXPECT_EQ(0, files.close(second));
    EXPECT_EQ(0, files.lockDirectory(first));
    EXPECT_EQ(0, files.close(first));
    EXPECT_EQ(-EBADF, files.lockDirectory(first));
    EXPECT_EQ(-EBADF, files.unlockDirectory(first));
}

} // namespace
} // namespace keyhold
