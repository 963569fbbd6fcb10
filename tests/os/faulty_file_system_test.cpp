// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/faulty_file_system.h"

#include "os/memory_file_system.h"

#include <cerrno>

#include <fcntl.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

class FaultyFileSystemTest : public ::testing::Test {
  protected:
    FaultyFileSystemTest() {
        memory.putDirectory("/d");
        directory = faulty.openDirectory("/d");
    }

    int create(const char *name) {
        return faulty.open(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    }

    MemoryFileSystem memory;
    FaultyFileSystem faulty{memory};
    int directory = -1;
};

TEST_F(FaultyFileSystemTest, FailsTheChosenCallsAndNoOthers) {
    faulty.fail(Operation::open, ".xml", ENOSPC, 2);
    EXPECT_EQ(-ENOSPC, create("a.xml"));
    EXPECT_GE(create("a.base64"), 0);
    EXPECT_EQ(-ENOSPC, create("b.xml"));
    EXPECT_GE(create("c.xml"), 0);
    EXPECT_EQ((std::vector<std::string>{"a.base64", "c.xml"}), memory.names("/d"));
}

TEST_F(FaultyFileSystemTest, KnowsDescriptorsByTheirNames) {
    int first = create("first");
    int second = create("second");
    faulty.fail(Operation::sync, "second", EIO, FaultyFileSystem::kAlways);
    faulty.fail(Operation::sync, "/d", EROFS);
    EXPECT_EQ(0, faulty.sync(first));
    EXPECT_EQ(-EIO, faulty.sync(second));
    EXPECT_EQ(-EIO, faulty.sync(second));
    EXPECT_EQ(-EROFS, faulty.sync(directory));
    EXPECT_EQ(0, faulty.sync(directory));
    faulty.clearFaults();
    EXPECT_EQ(0, faulty.sync(second));
}

TEST_F(FaultyFileSystemTest, FailsAfterSomeHavePassed) {
    faulty.fail(Operation::sync, "", EIO, 1, FaultyFileSystem::Effect::none, 2);
    EXPECT_EQ(0, faulty.sync(directory));
    EXPECT_EQ(0, faulty.sync(directory));
    EXPECT_EQ(-EIO, faulty.sync(directory));
    EXPECT_EQ(0, faulty.sync(directory));
}

TEST_F(FaultyFileSystemTest, AFailedCallMayHaveDoneItsWork) {
    memory.putFile("/d/a", "");
    faulty.fail(Operation::rename, "a -> b", EIO, 1, FaultyFileSystem::Effect::done);
    EXPECT_EQ(-EIO, faulty.rename(directory, "a", "b"));
    EXPECT_EQ(std::vector<std::string>{"b"}, memory.names("/d"));
    faulty.fail(Operation::rename, "b -> c", EIO);
    EXPECT_EQ(-EIO, faulty.rename(directory, "b", "c"));
    EXPECT_EQ(std::vector<std::string>{"b"}, memory.names("/d"));
}

TEST_F(FaultyFileSystemTest, AFailedCloseHasClosedAndAFailedOpenLeavesNothingOpen) {
    int file = create("a");
    faulty.fail(Operation::close, "a", EIO);
    EXPECT_EQ(-EIO, faulty.close(file));
    faulty.fail(Operation::open, "b", EIO, 1, FaultyFileSystem::Effect::done);
    EXPECT_EQ(-EIO, create("b"));
    EXPECT_EQ(1U, memory.openDescriptors());
    EXPECT_EQ(1U, faulty.openDescriptors());
    EXPECT_TRUE(memory.content("/d/b").has_value());
}

TEST_F(FaultyFileSystemTest, CountsCallsByOperationAndName) {
    faulty.fail(Operation::open, "a", EIO);
    create("a");
    create("ab");
    create("b");
    EXPECT_EQ(3U, faulty.count(Operation::open));
    EXPECT_EQ(2U, faulty.count(Operation::open, "a"));
    EXPECT_EQ(0U, faulty.count(Operation::sync));
    faulty.clearCounts();
    EXPECT_EQ(0U, faulty.count(Operation::open));
}

TEST_F(FaultyFileSystemTest, RunsAnActionBeforeACallButNotForItsOwnCalls) {
    memory.putFile("/d/a", "");
    int runs = 0;
    faulty.before(Operation::unlink, "a", [&] {
        ++runs;
        EXPECT_EQ(0, faulty.unlink(directory, "a"));
    });
    EXPECT_EQ(-ENOENT, faulty.unlink(directory, "a"));
    EXPECT_EQ(1, runs);
}

TEST_F(FaultyFileSystemTest, LimitsTransfers) {
    int file = create("a");
    faulty.limitTransfers(3);
    EXPECT_EQ(3, faulty.write(file, "12345", 5));
    faulty.limitTransfers(0);
    EXPECT_EQ(5, faulty.write(file, "12345", 5));
    EXPECT_EQ("12312345", memory.content("/d/a"));
}

} // namespace
} // namespace keyhold
