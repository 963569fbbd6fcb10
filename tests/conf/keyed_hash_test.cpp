// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/sodium.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>

namespace keyhold {
namespace {

constexpr std::array<std::uint8_t, 3> kBytes{1, 2, 3};

TEST(KeyedHash, IsTheSameForTheSameBytes) {
    const std::array<std::uint8_t, 3> copy = kBytes;
    EXPECT_EQ(keyedHash(kBytes), keyedHash(copy));
}

TEST(KeyedHash, DependsOnEveryBitOfTheBytes) {
    std::set<std::size_t> seen{keyedHash(kBytes)};
    for (std::size_t bit = 0; bit < kBytes.size() * 8; ++bit) {
        auto flipped = kBytes;
        flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
        EXPECT_TRUE(seen.insert(keyedHash(flipped)).second) << "bit " << bit;
    }
}

TEST(KeyedHash, TakesNoBytes) {
    EXPECT_NE(keyedHash({}), keyedHash(kBytes));
}

/// What print_hash.cpp, built beside this test, prints in a process of its own.
std::string hashOfNewProcess() {
    const auto program =
        std::filesystem::read_symlink("/proc/self/exe").parent_path() / "conf_print_hash";
    std::FILE *output = popen(program.c_str(), "r");
    if (output == nullptr)
        return {};
    std::array<char, 64> line{};
    const bool isRead = std::fgets(line.data(), line.size(), output) != nullptr;
    const bool isDone = pclose(output) == 0;
    return isRead && isDone ? line.data() : "";
}

TEST(KeyedHash, HasAnotherKeyInEveryProcess) {
    const std::string first = hashOfNewProcess();
    const std::string second = hashOfNewProcess();
    ASSERT_FALSE(first.empty());
    ASSERT_FALSE(second.empty());
    EXPECT_NE(first, second);
}

} // namespace
} // namespace keyhold
