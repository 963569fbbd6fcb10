// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/conf_edit.h"

#include "conf/error.h"

#include <gtest/gtest.h>

namespace keyhold {
namespace {

constexpr const char *kNote = "# keyhold: for now";

TEST(ConfEdit, ReplacesTheValueThatCountsAndNothingElse) {
    EXPECT_EQ(withStatement("# a = 1\n\ta  =\t1 # mine\nb = 2\na = 3\n", "a", "7"),
              "# a = 1\n\ta  =\t7 # mine\nb = 2\na = 3\n");
    EXPECT_EQ(withStatement("k = [\n  \"x\",\n  \"y\"\n]\nb = 1\n", "k", "[ \"z\" ]"),
              "k = [ \"z\" ]\nb = 1\n");
    EXPECT_EQ(withStatement("s = \"\"\"x\na = 1\n\"\"\"\na = 2", "a", "3"),
              "s = \"\"\"x\na = 1\n\"\"\"\na = 3");
    EXPECT_EQ(withStatement("a = 1; b = 2\n", "b", "3"), "a = 1; b = 3\n");
}

TEST(ConfEdit, AppendsWithTheLineEndsOfTheText) {
    EXPECT_EQ(withStatement("", "a", "1"), "a = 1\n");
    EXPECT_EQ(withStatement("# last", "a", "1"), "# last\na = 1\n");
    EXPECT_EQ(withStatement("b = 2", "a", "1"), "b = 2\na = 1\n");
    EXPECT_EQ(withStatement("b = 2\r\n", "a", "1"), "b = 2\r\na = 1\r\n");
    EXPECT_EQ(withStatement("b = 2\r\nc = 3", "a", "1"), "b = 2\r\nc = 3\r\na = 1\r\n");
}

TEST(ConfEdit, ATextThatEndsInNonsenseIsNotAppendedTo) {
    EXPECT_THROW(static_cast<void>(withStatement("b = \n", "a", "1")), Error);
}

TEST(ConfEdit, RemovesEveryStatementOfTheName) {
    EXPECT_EQ(withoutStatement("# a\na = 1\nb = 2\n  a = 3\r\nc = 4", "a"), "# a\nb = 2\nc = 4");
    EXPECT_EQ(withoutStatement("b = 1\na = 2", "a"), "b = 1\n");
    EXPECT_EQ(withoutStatement("a = [ 'x',\n 'y' ]\nb = 1\n", "a"), "b = 1\n");
    EXPECT_EQ(withoutStatement("a = 1 # why\nb = 1\n", "a"), "# why\nb = 1\n");
    EXPECT_EQ(withoutStatement("a = 1; b = 2\n", "a"), "b = 2\n");
    EXPECT_EQ(withoutStatement("b = 1\n", "a"), "b = 1\n");
}

TEST(ConfEdit, NotesGoAndComeWithTheirStatement) {
    const std::string noted = withStatement("a = 1 # mine\nb = 2\n", "a", "2", kNote);
    EXPECT_EQ(noted, "a = 2 # keyhold: for now # mine\nb = 2\n");
    EXPECT_EQ(noteOf(noted, "a"), kNote);
    EXPECT_EQ(noteOf(noted, "b"), "");
    EXPECT_EQ(withStatement(noted, "a", "1"), "a = 1 # mine\nb = 2\n");
    EXPECT_EQ(withoutStatement(withStatement("b = 2\n", "a", "1", kNote), "a"), "b = 2\n");
    EXPECT_EQ(withStatement("a = 1; b = 2\n", "a", "3", kNote),
              "a = 3 # keyhold: for now\n b = 2\n");
    EXPECT_EQ(noteOf(withStatement("a = 1\r\n", "a", "3", kNote), "a"), kNote);
    const std::string close = withStatement("a = 1#mine\n", "a", "2", kNote);
    EXPECT_EQ(noteOf(close, "a"), kNote);
    EXPECT_EQ(withStatement(close, "a", "1"), "a = 1 #mine\n");
}

TEST(ConfEdit, StringsAreWrittenSoThatTheyAreRead) {
    EXPECT_EQ(confString("/a b"), "\"/a b\"");
    EXPECT_EQ(confString("/a\"b"), "'/a\"b'");
    EXPECT_THROW(static_cast<void>(confString("/a\"'b")), Error);
    EXPECT_THROW(static_cast<void>(confString("/a\nb")), Error);
}

} // namespace
} // namespace keyhold
