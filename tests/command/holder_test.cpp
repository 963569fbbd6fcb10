// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/holder.h"
#include "command/store_on_disk.h"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace keyhold::command {
namespace {

TEST(FindHolder, NobodyWithoutAFileOrWithoutALock) {
    const TemporaryDirectory state;
    EXPECT_FALSE(findHolder(state.path()));
    EXPECT_FALSE(findHolder(state.path() + "/missing"));
    std::ofstream(state.path() + "/driver.pid") << ::getpid();
    EXPECT_FALSE(findHolder(state.path())) << "the lock counts, not the number in the file";
}

TEST(FindHolder, TheProcessWithTheLock) {
    const TemporaryDirectory state;
    const LockingProcess process(state.path());
    for (int look = 0; look < 2; ++look) {
        const auto holder = findHolder(state.path());
        ASSERT_TRUE(holder) << "a look must not take the lock away";
        EXPECT_EQ(holder->pid, process.pid());
        EXPECT_EQ(holder->driver, Holder::Driver::unknown) << "there is no module in it";
        EXPECT_NE(holder->text().find("(process " + std::to_string(process.pid()) + ")"),
                  std::string::npos);
    }
}

TEST(FindHolder, ALinkInItsPlaceIsNotFollowed) {
    const TemporaryDirectory state;
    std::filesystem::create_symlink("/etc/passwd", state.path() + "/driver.pid");
    EXPECT_ANY_THROW(static_cast<void>(findHolder(state.path())));
}

TEST(HandlesHangup, ByTheMaskOfCaughtSignals) {
    EXPECT_TRUE(handlesHangup("Name:\tx\nSigCgt:\t0000000000000001\n"));
    EXPECT_FALSE(handlesHangup("Name:\tx\nSigCgt:\t0000000000000002\n"));
    EXPECT_FALSE(handlesHangup("SigIgn:\t0000000000000001\n"));
    EXPECT_FALSE(handlesHangup(""));
}

TEST(KeyMemory, ByTheFlagsOfMappings) {
    const std::string secretmem = "7f00-7f10 rw-s 00000000 00:0e 5   /secretmem (deleted)\n"
                                  "Rss:                  4 kB\n"
                                  "VmFlags: rd wr sh mr mw ms lo dc dd\n";
    const std::string locked = "7f20-7f30 rw-p 00000000 00:00 0\n"
                               "VmFlags: rd wr mr mw me lo ac dc dd\n";
    const std::string unlocked = "7f40-7f50 rw-p 00000000 00:00 0\n"
                                 "VmFlags: rd wr mr mw me ac dc dd\n";
    const std::string scratch = "7f60-7f70 rw-p 00000000 00:00 0\n"
                                "VmFlags: rd wr mr mw me lo ac dd wf\n";
    EXPECT_EQ(keyMemoryOf(secretmem + scratch), "secretmem");
    EXPECT_EQ(keyMemoryOf(scratch + locked), "locked");
    EXPECT_EQ(keyMemoryOf(scratch + unlocked + scratch), "unlocked");
    EXPECT_EQ(keyMemoryOf(secretmem + locked), "locked");
    EXPECT_EQ(keyMemoryOf(locked + secretmem), "locked");
    EXPECT_EQ(keyMemoryOf(unlocked + secretmem), "unlocked");
    EXPECT_EQ(keyMemoryOf(scratch), "none");
    EXPECT_EQ(keyMemoryOf(""), "");
}

} // namespace
} // namespace keyhold::command
