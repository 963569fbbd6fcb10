// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/log_text.h"

#include <gtest/gtest.h>

namespace keyhold::abi {
namespace {

TEST(LogText, WhatIsSeenStaysAsItIs) {
    for (const char *text :
         {"", "plain", "it's 100 % \"quoted\" \\n", "grüße 秘密 🔑", "\u00a0\u2027\u202f\u2065"}) {
        EXPECT_TRUE(isOneLine(text)) << text;
        EXPECT_EQ(oneLine(text), text);
    }
}

struct Escaped {
    std::string_view text;
    const char *line;
};

const Escaped kEscaped[] = {
    {"a\nb", "a\\nb"},
    {"a\tb", "a\\tb"},
    {"a\rb", "a\\x0db"},
    {{"a\0b", 3}, "a\\x00b"},
    {"\x1b[2J", "\\x1b[2J"},
    {"\x7f", "\\x7f"},
    {"\u0085\u009b", "\\xc2\\x85\\xc2\\x9b"},
    {"\u061c\u200e\u200f", "\\xd8\\x9c\\xe2\\x80\\x8e\\xe2\\x80\\x8f"},
    {"\u2028\u2029", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"},
    {"\u202a\u202e", "\\xe2\\x80\\xaa\\xe2\\x80\\xae"},
    {"\u2066\u2069", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"},
    {"\xff", "\\xff"},
    {"\x9b", "\\x9b"},
    {"\xc0\x8a", "\\xc0\\x8a"},
    {"ü\xe2\x80", "ü\\xe2\\x80"},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
};

TEST(LogText, WhatWouldActIsEscaped) {
    for (const Escaped &row : kEscaped) {
        EXPECT_FALSE(isOneLine(row.text)) << row.line;
        EXPECT_EQ(oneLine(row.text), row.line);
    }
}

} // namespace
} // namespace keyhold::abi
