// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/typed_value.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using State = TypedLine::State;

constexpr TypedLine::Keys kKeys{0x7f, 0x15, 0x04, 0x03};

struct Typed {
    std::string text;
    State state;

    bool operator==(const Typed &) const = default;
};

Typed type(std::string_view keys, std::size_t room = 8) {
    std::string memory(room, '.');
    TypedLine line({reinterpret_cast<std::uint8_t *>(memory.data()), memory.size()}, kKeys);
    State state = State::open;
    for (const char key : keys)
        state = line.take(static_cast<std::uint8_t>(key));
    return {memory.substr(0, line.size()), state};
}

TEST(TypedLine, EndsWithReturnNewlineOrTheEnd) {
    EXPECT_EQ(type("abc"), (Typed{"abc", State::open}));
    for (const char *end : {"abc\r", "abc\n", "abc\x04"})
        EXPECT_EQ(type(end), (Typed{"abc", State::complete}));
}

TEST(TypedLine, IsEdited) {
    EXPECT_EQ(type("ab\x7f\bc"), (Typed{"c", State::open}));
    EXPECT_EQ(type("\x7f\x7f"
                   "a"),
              (Typed{"a", State::open}));
    EXPECT_EQ(type("a\xc3\xbc\x7f"), (Typed{"a", State::open})) << "a character has two bytes";
    EXPECT_EQ(type("abc\x15"
                   "d"),
              (Typed{"d", State::open}));
}

TEST(TypedLine, IsInterruptedOrFull) {
    EXPECT_EQ(type("a\x03").state, State::interrupted);
    EXPECT_EQ(type("abcd", 4).state, State::open);
    EXPECT_EQ(type("abcde", 4).state, State::full);
}

} // namespace
} // namespace keyhold::command
