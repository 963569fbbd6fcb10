// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/faulty_file_system.h"
#include "os/file_system.h"
#include "os/memory_file_system.h"
#include "os/temporary_directory.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace keyhold {

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

} // namespace keyhold
