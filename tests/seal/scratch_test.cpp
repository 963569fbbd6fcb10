// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/scratch.h"

#include "seal/process.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

bool isZero(std::span<const std::uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

void fill(std::span<std::uint8_t> bytes) {
    std::fill(bytes.begin(), bytes.end(), 0xc3);
}

TEST(ScratchTest, HasTheSizeAskedForAndIsZero) {
    for (std::size_t size : {1UL, 17UL, Scratch::kSmallSize, Scratch::kSmallSize + 1, 65536UL,
                             Scratch::kPooledSize, Scratch::kPooledSize + 1}) {
        Scratch scratch(size);
        EXPECT_EQ(size, scratch.bytes().size());
        EXPECT_TRUE(isZero(scratch.bytes()));
    }
    Scratch none(0);
    EXPECT_TRUE(none.bytes().empty());
}

TEST(ScratchTest, IsWipedWhenItIsGivenBack) {
    for (std::size_t size :
         {1UL, 100UL, Scratch::kSmallSize, Scratch::kSmallSize + 1, Scratch::kPooledSize}) {
        const std::size_t block =
            size <= Scratch::kSmallSize ? Scratch::kSmallSize : Scratch::kPooledSize;
        std::uint8_t *lent = nullptr;
        {
            Scratch scratch(size);
            fill(scratch.bytes());
            lent = scratch.bytes().data();
        }
        // The block that was given back last is lent next: the same bytes are seen again.
        Scratch again(block);
        ASSERT_EQ(lent, again.bytes().data());
        EXPECT_TRUE(isZero(again.bytes())) << size;
    }
}

TEST(ScratchTest, IsWipedWhenAnExceptionPasses) {
    std::uint8_t *lent = nullptr;
    try {
        Scratch scratch(50);
        fill(scratch.bytes());
        lent = scratch.bytes().data();
        throw 1;
    } catch (int) {
    }
    Scratch again(50);
    ASSERT_EQ(lent, again.bytes().data());
    EXPECT_TRUE(isZero(again.bytes()));
}

TEST(ScratchTest, OneBlockIsLentToOneCallOnly) {
    Scratch first(10);
    Scratch second(10);
    EXPECT_NE(first.bytes().data(), second.bytes().data());
}

TEST(ScratchTest, LargeOnesAreReleasedAtOnce) {
    std::uint8_t *lent = nullptr;
    {
        Scratch scratch(std::size_t{5} * 1024 * 1024);
        lent = scratch.bytes().data();
        EXPECT_TRUE(memoryFlags(lent).contains("wf"));
    }
    EXPECT_FALSE(memoryFlags(lent).contains("wf"));
}

TEST(ScratchTest, KeepsNoMoreIdleBlocksThanItSays) {
    auto useAtOnce = [](std::size_t count) {
        std::vector<std::unique_ptr<Scratch>> scratches;
        for (std::size_t i = 0; i < count; ++i) {
            scratches.push_back(std::make_unique<Scratch>(1));
            scratches.push_back(std::make_unique<Scratch>(Scratch::kSmallSize + 1));
        }
    };
    useAtOnce(Scratch::kIdleBlocks);
    const std::size_t kept = guardedMappings();
    useAtOnce(3 * Scratch::kIdleBlocks);
    EXPECT_EQ(kept, guardedMappings());
}

TEST(ScratchTest, ServesThreads) {
    std::atomic<int> faults{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&, i] {
            const auto mark = static_cast<std::uint8_t>(i + 1);
            for (int round = 0; round < 500; ++round) {
                Scratch scratch(64);
                faults += isZero(scratch.bytes()) ? 0 : 1;
                std::fill(scratch.bytes().begin(), scratch.bytes().end(), mark);
                std::this_thread::yield();
                faults += std::all_of(scratch.bytes().begin(), scratch.bytes().end(),
                                      [&](std::uint8_t byte) { return byte == mark; })
                              ? 0
                              : 1;
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(0, faults);
}

} // namespace
} // namespace keyhold
