// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/conf_scan.h"

#include <gtest/gtest.h>

namespace keyhold {
namespace {

using Entries = std::vector<std::optional<std::string>>;

std::string namesAndLines(std::string_view text) {
    std::string all;
    for (const ConfStatement &statement : scanConf(text))
        all += statement.name + ":" + std::to_string(statement.line) + " ";
    return all;
}

TEST(ConfScan, FindsEachStatementWithItsLine) {
    EXPECT_EQ(namesAndLines(""), "");
    EXPECT_EQ(namesAndLines("# only = 'a comment'\n"), "");
    EXPECT_EQ(namesAndLines("a = 1\n\n  b='x' # c = 1\n#d = 1\ne = [ ]\r\nf = 1;g = 2; \nh=3"),
              "a:1 b:3 e:5 f:6 g:6 h:7 ");
    EXPECT_EQ(namesAndLines(
                  "a = \"\"\"x\nb = 1\n\"\"\"\nc = \"# d = 1\"\ne = [ 'x',\n 'f = 1'\n]\ng = 1\n"),
              "a:1 c:4 e:5 g:8 ");
    EXPECT_EQ(namesAndLines("a = 1\nb = 1\na = 2\n"), "a:1 b:2 a:3 ");
}

TEST(ConfScan, HasNumbersAsTheyAreWritten) {
    const auto statements = scanConf("a = 18446744073709551616\nb = +1\nc = -0\nd = '5'\n");
    ASSERT_EQ(statements.size(), 4U);
    EXPECT_EQ(statements[0].number, "18446744073709551616");
    EXPECT_EQ(statements[1].number, "+1");
    EXPECT_EQ(statements[2].number, "-0");
    EXPECT_EQ(statements[3].number, "");
}

TEST(ConfScan, HasTextsAsTheyAreWritten) {
    const auto statements =
        scanConf("a = 'x\"y'\nb = \"\\n'\"\nc = \"\"\"u\n\"v\"\"\"\nd = ''\ne = 1\n");
    ASSERT_EQ(statements.size(), 5U);
    EXPECT_EQ(statements[0].text, "x\"y");
    EXPECT_EQ(statements[1].text, "\\n'");
    EXPECT_EQ(statements[2].text, "u\n\"v");
    EXPECT_EQ(statements[3].text, "");
    EXPECT_EQ(statements[4].text, std::nullopt);
}

TEST(ConfScan, HasTheEntriesOfLists) {
    const auto statements =
        scanConf("a = [ 'x', \"y\", 5, [ 'z' ], \"\"\"u\nv\"\"\", ]\nb = []\nc = 'x'\n");
    ASSERT_EQ(statements.size(), 3U);
    EXPECT_EQ(statements[0].list, (Entries{"x", "y", std::nullopt, std::nullopt, "u\nv"}));
    EXPECT_EQ(statements[1].list, Entries());
    EXPECT_EQ(statements[2].list, std::nullopt);
}

TEST(ConfScan, EndsAtWhatItCannotRead) {
    EXPECT_EQ(namesAndLines("a = 1\n= 2\nc = 3\n"), "a:1 ");
    for (const char *text : {"a", "a =", "a = x", "a = 'x", "a = [ 'x'", "a = [ x ]", "a = +",
                             "a = \"\"\"x\"", "a = [ 'x ]"})
        EXPECT_EQ(namesAndLines(text), "") << text;
}

TEST(ConfScan, TheFirstOfAName) {
    const auto statements = scanConf("a = 1\nb = 2\na = 3\n");
    EXPECT_EQ(findStatement(statements, "a"), &statements[0]);
    EXPECT_EQ(findStatement(statements, "b"), &statements[1]);
    EXPECT_EQ(findStatement(statements, "c"), nullptr);
}

} // namespace
} // namespace keyhold
