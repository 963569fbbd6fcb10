// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/nearest_word.h"

#include <gtest/gtest.h>

namespace keyhold {
namespace {

const std::vector<std::string> kWords{"status", "verify", "backup", "restore",
                                      "set",    "get",    "list"};

TEST(NearestWord, IsAFewLettersAway) {
    EXPECT_EQ(nearestWord("bakup", kWords), "backup");
    EXPECT_EQ(nearestWord("backpu", kWords), "backup");
    EXPECT_EQ(nearestWord("statsu", kWords), "status");
    EXPECT_EQ(nearestWord("verfiy", kWords), "verify");
    EXPECT_EQ(nearestWord("lst", kWords), "list");
    EXPECT_EQ(nearestWord("rest", kWords), "restore") << "it begins so";
}

TEST(NearestWord, IsNoneWhereNothingIsNear) {
    for (const char *word : {"", "frobnicate", "x", "abcdefgh"})
        EXPECT_EQ(nearestWord(word, kWords), std::nullopt) << word;
    EXPECT_EQ(nearestWord(std::string(1'000'000, 'a'), kWords), std::nullopt);
    EXPECT_EQ(nearestWord("bakup", {}), std::nullopt);
}

TEST(NearestWord, IsAQuestion) {
    EXPECT_EQ(didYouMean("bakup", kWords), "; did you mean 'backup'?");
    EXPECT_EQ(didYouMean("frobnicate", kWords), "");
}

} // namespace
} // namespace keyhold
