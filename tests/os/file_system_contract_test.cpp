// SPDX-License-Identifier: LGPL-2.1-or-later
// What every FileSystem does, shown of the kernel's and of the one in memory that stands in for it.
#include "os/file_system.h"

#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"
#include "os/temporary_directory.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace keyhold {
namespace {

/// A file system and a directory of it that exists and is empty.
class Subject {
  public:
    virtual ~Subject() = default;
    virtual FileSystem &fileSystem() = 0;
    virtual std::string root() = 0;
    virtual void makeFifo(const std::string &path) = 0;
    virtual void makeDanglingLink(const std::string &path) = 0;
    /// False if that cannot be done here.
    virtual bool loseDisk(DiskLoss) { return false; }
    virtual void restoreDisk() {}
};

class PosixSubject : public Subject {
  public:
    FileSystem &fileSystem() override { return posixFileSystem(); }
    std::string root() override { return directory_.path(); }
    void makeFifo(const std::string &path) override { ASSERT_EQ(0, ::mkfifo(path.c_str(), 0600)); }
    void makeDanglingLink(const std::string &path) override {
        std::filesystem::create_symlink("nowhere", path);
    }

  private:
    TemporaryDirectory directory_;
};

class MemorySubject : public Subject {
  public:
    MemorySubject() { memory_.putDirectory(root()); }
    FileSystem &fileSystem() override { return memory_; }
    std::string root() override { return "/some/where"; }
    void makeFifo(const std::string &path) override { memory_.putFifo(path); }
    void makeDanglingLink(const std::string &path) override { memory_.putDanglingLink(path); }
    bool loseDisk(DiskLoss how) override {
        memory_.loseDisk(0, how);
        return true;
    }
    void restoreDisk() override { memory_.clearFaults(); }

  private:
    MemoryFileSystem memory_;
};

class DecoratedSubject : public PosixSubject {
  public:
    FileSystem &fileSystem() override { return faulty_; }
    bool loseDisk(DiskLoss how) override {
        faulty_.loseDisk(how);
        return true;
    }
    void restoreDisk() override { faulty_.clearFaults(); }

  private:
    FaultyFileSystem faulty_{posixFileSystem()};
};

struct Maker {
    const char *name;
    std::unique_ptr<Subject> (*make)();
};

template <typename S>
std::unique_ptr<Subject> make() {
    return std::make_unique<S>();
}

class FileSystemContract : public ::testing::TestWithParam<Maker> {
  protected:
    void SetUp() override {
        directory = files.openDirectory(subject->root());
        ASSERT_GE(directory, 0);
    }
    void TearDown() override { EXPECT_EQ(0, files.close(directory)); }

    std::string path(const std::string &name) { return subject->root() + "/" + name; }

    void put(const char *name, const std::string &content) {
        int file = files.open(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ASSERT_GE(file, 0);
        ASSERT_EQ(static_cast<ssize_t>(content.size()),
                  files.write(file, content.data(), content.size()));
        ASSERT_EQ(0, files.close(file));
    }

    std::string readAll(int file) {
        std::string content(100, '\0');
        ssize_t size = files.read(file, content.data(), content.size());
        content.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        return size < 0 ? "error " + std::to_string(-size) : content;
    }

    std::string get(const char *name) {
        int file = files.open(directory, name, O_RDONLY, 0);
        if (file < 0)
            return "error " + std::to_string(-file);
        std::string content = readAll(file);
        EXPECT_EQ(0, files.close(file));
        return content;
    }

    std::vector<std::string> names() {
        std::vector<std::string> found;
        EXPECT_EQ(0, files.list(directory, [&](const char *name) { found.emplace_back(name); }));
        std::sort(found.begin(), found.end());
        return found;
    }

    std::unique_ptr<Subject> subject = GetParam().make();
    FileSystem &files = subject->fileSystem();
    int directory = -1;
};

using Names = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(All, FileSystemContract,
                         ::testing::Values(Maker{"kernel", make<PosixSubject>},
                                           Maker{"memory", make<MemorySubject>},
                                           Maker{"decorated", make<DecoratedSubject>}),
                         [](const auto &test) { return test.param.name; });

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

TEST_P(FileSystemContract, ExistsDoesNotFollowLinks) {
    subject->makeDanglingLink(path("link"));
    put("file", "");
    EXPECT_EQ(0, files.exists(directory, "link"));
    EXPECT_EQ(0, files.exists(directory, "file"));
    EXPECT_EQ(-ENOENT, files.exists(directory, "missing"));
    EXPECT_EQ(-ENOTDIR, files.exists(directory, "file/below"));
    EXPECT_EQ(-EBADF, files.exists(-5, "file"));
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

TEST_P(FileSystemContract, OneProcessTakesItsLockTwice) {
    int file = files.open(directory, "lock", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(0, files.lock(file));
    EXPECT_EQ(0, files.lock(file));
    EXPECT_EQ(0, files.close(file));
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
