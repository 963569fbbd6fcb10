// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/age.h"
#include "command/table.h"

#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirLongestText) {
    testing::internal::CaptureStdout();
    printTable({{"A", "LONG", "C"}, {"äöü", "b", ""}, {"\n", "-", "c d"}});
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "A    LONG  C\näöü  b\n\\n   -     c d\n");
}

TEST(Age, IsInOneUnit) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const auto after = [](std::int64_t seconds) {
        return ageText(kSecond, (1 + seconds) * kSecond);
    };
    EXPECT_EQ(after(-5), "0s");
    EXPECT_EQ(after(119), "119s");
    EXPECT_EQ(after(120), "2m");
    EXPECT_EQ(after(7'200), "2h");
    EXPECT_EQ(after(172'800), "2d");
    EXPECT_EQ(after(86'400 * 400), "400d");
    EXPECT_EQ(timeText(1'795'000'000 * kSecond), "2026-11-18T11:06:40Z");
}

} // namespace
} // namespace keyhold::command
