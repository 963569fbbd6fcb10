// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/guarded_memory.h"

#include "conf/error.h"
#include "seal/process.h"

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace keyhold {
namespace {

const std::size_t kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

bool isZero(std::span<const std::uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

void fill(std::span<std::uint8_t> bytes) {
    std::fill(bytes.begin(), bytes.end(), 0x5a);
}

/// What the compiler cannot leave out.
void writeAt(std::uint8_t *address) {
    *const_cast<volatile std::uint8_t *>(address) = 1;
}

TEST(GuardedMemoryTest, IsZeroedAlignedAndOfTheSizeAskedFor) {
    for (std::size_t size : {1UL, 15UL, 16UL, 17UL, 32UL, kPage - 1, kPage, kPage + 1, 300'000UL}) {
        GuardedMemory memory(size);
        ASSERT_EQ(size, memory.size());
        ASSERT_EQ(size, memory.bytes().size());
        EXPECT_TRUE(isZero(memory.bytes())) << size;
        EXPECT_EQ(0U, reinterpret_cast<std::uintptr_t>(memory.bytes().data()) % 16) << size;
        fill(memory.bytes());
        EXPECT_FALSE(isZero(memory.bytes().last(1)));
    }
}

TEST(GuardedMemoryTest, NoBytesNeedNoMemory) {
    GuardedMemory memory(0);
    EXPECT_TRUE(memory.bytes().empty());
    wipe(memory.bytes());
    GuardedMemory none;
    EXPECT_EQ(0U, none.size());
}

TEST(GuardedMemoryTest, MovesItsBytes) {
    GuardedMemory first(10);
    fill(first.bytes());
    std::uint8_t *data = first.bytes().data();
    GuardedMemory second(std::move(first));
    // What is left behind is part of the interface.
    // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
    EXPECT_EQ(0U, first.size());
    EXPECT_EQ(data, second.bytes().data());
    GuardedMemory third(20);
    third = std::move(second);
    EXPECT_EQ(data, third.bytes().data());
    EXPECT_EQ(10U, third.size());
    EXPECT_EQ(0x5a, third.bytes()[9]);
    GuardedMemory &same = third;
    third = std::move(same);
    EXPECT_EQ(data, third.bytes().data());
}

TEST(GuardedMemoryTest, WipeZeroes) {
    GuardedMemory memory(1000);
    fill(memory.bytes());
    wipe(memory.bytes());
    EXPECT_TRUE(isZero(memory.bytes()));
    fill(memory.bytes());
    wipe(memory.bytes().subspan(10, 5));
    EXPECT_EQ(0x5a, memory.bytes()[9]);
    EXPECT_TRUE(isZero(memory.bytes().subspan(10, 5)));
    EXPECT_EQ(0x5a, memory.bytes()[15]);
}

TEST(GuardedMemoryTest, TooMuchRaisesNoMemory) {
    for (std::size_t size : {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 2, std::size_t{1} << 60}) {
        try {
            GuardedMemory memory(size);
            FAIL() << size;
        } catch (const Error &error) {
            EXPECT_EQ(ErrorCode::noMemory, error.code());
        }
    }
}

TEST(GuardedMemoryTest, IsLeftOutOfCoreDumpsAndChildren) {
    for (std::size_t size : {16UL, kPage, 3 * kPage + 5}) {
        GuardedMemory memory(size);
        for (const std::uint8_t *byte : {&memory.bytes().front(), &memory.bytes().back()}) {
            const auto flags = memoryFlags(byte);
            EXPECT_TRUE(flags.contains("dd")) << size;
            EXPECT_TRUE(flags.contains("wf")) << size;
        }
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // they make mlock do nothing
TEST(GuardedMemoryTest, IsLockedWhereTheLimitsAllowIt) {
    GuardedMemory memory(kPage);
    EXPECT_EQ(GuardedMemory::memoryIsLocked(), memoryFlags(memory.bytes().data()).contains("lo"));
}
#endif

TEST(GuardedMemoryTest, WorksWhereNothingMayBeLocked) {
    const int status = inChild([] {
        const rlimit none{0, 0};
        if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0)
            return 2;
        // Limits do not bind root.
        if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0)
            return 3;
        std::uint8_t page[16];
        const bool isRefused = ::mlock(page, sizeof page) != 0;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        if (!isRefused)
            return 4;
#endif
        GuardedMemory memory(kPage + 1);
        fill(memory.bytes());
        if (GuardedMemory::memoryIsLocked() == isRefused)
            return 5;
        const auto flags = memoryFlags(memory.bytes().data());
        if (!flags.contains("dd") || !flags.contains("wf"))
            return 6;
        if (memory.bytes()[kPage] != 0x5a)
            return 7;
        return 0;
    });
    EXPECT_EQ(0, status);
}

TEST(GuardedMemoryTest, IsZeroInAForkedChildWhichCanReleaseIt) {
    for (std::size_t size : {16UL, kPage - 16, kPage, 2 * kPage}) {
        GuardedMemory memory(size);
        fill(memory.bytes());
        EXPECT_EQ(0, inChild([&] {
                      if (!isZero(memory.bytes()))
                          return 1;
                      GuardedMemory released = std::move(memory);
                      return 0;
                  }));
        EXPECT_EQ(0x5a, memory.bytes()[size - 1]);
    }
}

TEST(GuardedMemoryTest, IsUnmappedWhenReleased) {
    std::uint8_t *data = nullptr;
    {
        GuardedMemory memory(5 * kPage);
        data = memory.bytes().data();
        EXPECT_FALSE(memoryFlags(data).empty());
    }
    EXPECT_FALSE(memoryFlags(data).contains("wf"));
}

TEST(GuardedMemoryTest, ServesThreads) {
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([] {
            for (std::size_t size = 1; size < 100; ++size) {
                GuardedMemory memory(size);
                EXPECT_TRUE(isZero(memory.bytes()));
                fill(memory.bytes());
            }
        });
    for (std::thread &thread : threads)
        thread.join();
}

using GuardedMemoryDeathTest = ::testing::Test;

TEST(GuardedMemoryDeathTest, WritingBehindTheBlockIsFatal) {
    for (std::size_t size : {16UL, 48UL, kPage, 2 * kPage + 32}) {
        GuardedMemory memory(size);
        EXPECT_DEATH(writeAt(memory.bytes().data() + size), "");
    }
}

TEST(GuardedMemoryDeathTest, WritingFarBeforeTheBlockIsFatal) {
    GuardedMemory memory(kPage);
    EXPECT_DEATH(writeAt(memory.bytes().data() - kPage - 1), "");
}

TEST(GuardedMemoryDeathTest, WritingJustBeforeAFullPageIsFatalAtItsRelease) {
    EXPECT_DEATH(
        {
            GuardedMemory memory(kPage);
            writeAt(memory.bytes().data() - 1);
        },
        "");
}

} // namespace
} // namespace keyhold
