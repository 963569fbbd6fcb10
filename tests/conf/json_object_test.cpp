// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/json_object.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

std::string textOf(std::string_view value) {
    JsonObject json;
    json.add("a", value);
    return json.text();
}

TEST(JsonObjectTest, HasItsMembersInTheirOrder) {
    JsonObject inner;
    inner.add("n", -1);
    JsonObject json;
    json.add("text", "b");
    json.add("yes", true);
    json.add("large", std::uint64_t{18446744073709551615U});
    json.addNull("none");
    json.add("inner", inner);
    const std::vector<std::string> words{"one", "t\"o"};
    json.add("words", words);
    json.add("no words", std::vector<std::string>());
    EXPECT_EQ(R"({"text":"b","yes":true,"large":18446744073709551615,"none":null,"inner":{"n":-1},)"
              R"("words":["one","t\"o"],"no words":[]})",
              json.text());
    EXPECT_EQ("{}", JsonObject().text());
}

TEST(JsonObjectTest, EscapesWhatAStringMayNotHave) {
    EXPECT_EQ(R"({"a":"\"\\/"})", textOf("\"\\/"));
    EXPECT_EQ(R"({"a":"\u000a\u001f )"
              "\x7f"
              R"("})",
              textOf("\n\x1f \x7f"));
    EXPECT_EQ("{\"a\":\"\u00fc\U0001f511\"}", textOf("\u00fc\U0001f511"));
}

TEST(JsonObjectTest, BytesThatAreNoTextAreReplaced) {
    EXPECT_EQ("{\"a\":\"x\uFFFD\uFFFDy\"}", textOf("x\xff\xc3y"));
    EXPECT_EQ("{\"a\":\"\uFFFD\"}", textOf("\xe2"));
}

} // namespace
} // namespace keyhold
