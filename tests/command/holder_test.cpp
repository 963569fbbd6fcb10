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

class FindHolder : public testing::Test {
  protected:
    TemporaryDirectory state;
    TemporaryDirectory config;
    InstancePaths paths{config.path(), state.path(), {}};
};

TEST_F(FindHolder, NobodyWithoutAFileOrWithoutALock) {
    EXPECT_FALSE(findHolder(paths));
    EXPECT_FALSE(findHolder({config.path() + "/missing", state.path() + "/missing", {}}));
    std::ofstream(state.path() + "/driver.pid") << ::getpid();
    EXPECT_FALSE(findHolder(paths)) << "the lock counts, not the number in the file";
}

TEST_F(FindHolder, TheProcessWithTheLock) {
    const LockingProcess process(state.path());
    for (int look = 0; look < 2; ++look) {
        const auto holder = findHolder(paths);
        ASSERT_TRUE(holder) << "a look must not take the lock away";
        EXPECT_EQ(holder->pid, process.pid());
        EXPECT_TRUE(holder->hasPidFile);
        EXPECT_EQ(holder->driver, Holder::Driver::unknown) << "there is no module in it";
        EXPECT_NE(holder->text().find("(process " + std::to_string(process.pid()) + ")"),
                  std::string::npos);
    }
}

TEST_F(FindHolder, TheProcessWithTheDirectory) {
    const LockingProcess process = LockingProcess::ofDirectory(config.path());
    for (int look = 0; look < 2; ++look) {
        const auto holder = findHolder(paths);
        ASSERT_TRUE(holder);
        EXPECT_EQ(holder->pid, process.pid());
        EXPECT_FALSE(holder->hasPidFile);
    }
}

// It may be libvirt's own driver, which does not ask for the directory.
TEST_F(FindHolder, OfTwoTheOneWithThePidFileUnlessItIsKeyhold) {
    const LockingProcess tool = LockingProcess::ofDirectory(config.path());
    const LockingProcess driver(state.path());
    EXPECT_EQ(findHolder(paths)->pid, driver.pid());
}

TEST_F(FindHolder, ALinkInItsPlaceIsNotFollowed) {
    std::filesystem::create_symlink("/etc/passwd", state.path() + "/driver.pid");
    EXPECT_ANY_THROW(static_cast<void>(findHolder(paths)));
}

TEST(LoadedModuleIn, IsFoundUnderItsNameOfNow) {
    const std::string others =
        "55d0-55d1 r-xp 00000000 fe:00 1      /usr/sbin/libvirtd\n"
        "7f00-7f01 rw-p 00000000 00:00 0\n"
        "7f01-7f02 r--p 00000000 fe:00 2      /x/libvirt_driver_secret.so.d/y\n"
        "7f02-7f03 r--p 00000000 fe:00 3      /x/libvirt_driver_secret.sox\n";
    const auto found = [&](const std::string &path) {
        return loadedModuleIn(others + "7f03-7f04 r--p 00000000 fe:00 4      " + path +
                              "\n7f04-7f05 r-xp 00001000 fe:00 4      " + path + "\n");
    };
    EXPECT_FALSE(loadedModuleIn(others));
    const auto inPlace = found("/a b/libvirt_driver_secret.so");
    ASSERT_TRUE(inPlace);
    EXPECT_EQ("/a b/libvirt_driver_secret.so", inPlace->path);
    EXPECT_EQ("7f03-7f04", inPlace->addresses);
    EXPECT_FALSE(inPlace->isRemoved || inPlace->isReplaced);
    const auto removed = found("/a/libvirt_driver_secret.so (deleted)");
    ASSERT_TRUE(removed);
    EXPECT_EQ("/a/libvirt_driver_secret.so", removed->path);
    EXPECT_TRUE(removed->isRemoved && removed->isReplaced);
    const auto diverted = found("/a/libvirt_driver_secret.so.distrib");
    ASSERT_TRUE(diverted);
    EXPECT_EQ("/a/libvirt_driver_secret.so.distrib", diverted->path);
    EXPECT_TRUE(!diverted->isRemoved && diverted->isReplaced);
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
    EXPECT_EQ(keyMemoryOf(secretmem + locked), "secretmem");
    EXPECT_EQ(keyMemoryOf(locked + secretmem), "secretmem");
    EXPECT_EQ(keyMemoryOf(unlocked + secretmem), "unlocked");
    EXPECT_EQ(keyMemoryOf(secretmem + unlocked), "unlocked");
    EXPECT_EQ(keyMemoryOf(locked + unlocked), "unlocked");
    EXPECT_EQ(keyMemoryOf(scratch), "none");
    EXPECT_EQ(keyMemoryOf(""), "");
}

} // namespace
} // namespace keyhold::command
