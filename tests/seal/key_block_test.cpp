// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/error.h"
#include "seal/key_memory.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

bool isZero(std::span<const std::uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

void fill(std::span<std::uint8_t> bytes) {
    std::fill(bytes.begin(), bytes.end(), 0x5a);
}

TEST(KeyBlockTest, IsZeroedAlignedAndApartFromOthers) {
    std::vector<KeyBlock> blocks;
    std::set<const std::uint8_t *> granules;
    for (std::size_t size : {1UL, 32UL, 63UL, 64UL, 65UL, 600UL, 4096UL, 64UL, 1UL}) {
        blocks.emplace_back(size);
        const auto bytes = blocks.back().bytes();
        ASSERT_EQ(size, bytes.size());
        EXPECT_TRUE(isZero(bytes));
        EXPECT_EQ(0U, reinterpret_cast<std::uintptr_t>(bytes.data()) % 64);
        for (std::size_t at = 0; at < size; at += 64)
            EXPECT_TRUE(granules.insert(bytes.data() + at).second) << size;
        fill(bytes);
    }
}

TEST(KeyBlockTest, GivesItsBytesBackWiped) {
    std::uint8_t *data = nullptr;
    {
        KeyBlock block(100);
        fill(block.bytes());
        data = block.bytes().data();
    }
    const KeyBlock next(100);
    EXPECT_EQ(data, next.bytes().data());
    EXPECT_TRUE(isZero(next.bytes()));
}

TEST(KeyBlockTest, GrowsPastOneMapping) {
    std::vector<KeyBlock> blocks;
    for (int i = 0; i < 600; ++i) {
        blocks.emplace_back(64);
        fill(blocks.back().bytes());
    }
    blocks.clear();
    for (int i = 0; i < 600; ++i) {
        blocks.emplace_back(64);
        EXPECT_TRUE(isZero(blocks.back().bytes()));
    }
}

TEST(KeyBlockTest, MovesItsBytes) {
    KeyBlock first(10);
    fill(first.bytes());
    const std::uint8_t *data = first.bytes().data();
    KeyBlock second(std::move(first));
    // NOLINTNEXTLINE(bugprone-use-after-move): what is left behind is part of the interface
    EXPECT_TRUE(first.bytes().empty());
    KeyBlock third(20);
    third = std::move(second);
    EXPECT_EQ(data, third.bytes().data());
    EXPECT_EQ(0x5a, third.bytes()[9]);
}

TEST(KeyBlockTest, TooLargeABlockIsRefused) {
    EXPECT_THROW(KeyBlock(4097), Error);
    EXPECT_TRUE(KeyBlock(0).bytes().empty());
}

TEST(KeyBlockTest, ServesThreads) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([] {
            for (std::size_t size = 1; size < 300; ++size) {
                KeyBlock block(size);
                EXPECT_TRUE(isZero(block.bytes()));
                fill(block.bytes());
            }
        });
    for (std::thread &thread : threads)
        thread.join();
}

} // namespace
} // namespace keyhold
