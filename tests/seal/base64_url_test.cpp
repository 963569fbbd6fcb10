// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/base64.h"

#include "conf/error.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

using namespace std::string_view_literals;
using Bytes = std::vector<std::uint8_t>;

std::string encode(std::string_view bytes) {
    std::string text(base64UrlSize(bytes.size()) + 1, '?');
    encodeBase64Url(Bytes(bytes.begin(), bytes.end()), text);
    EXPECT_EQ('\0', text.back());
    text.pop_back();
    return text;
}

std::string decode(std::string_view text) {
    Bytes bytes(text.size() + 1);
    const auto size = decodeBase64Url(text, bytes);
    return size ? "value:" + std::string(bytes.begin(), bytes.begin() + static_cast<long>(*size))
                : "damaged";
}

TEST(Base64UrlTest, KnownAnswers) {
    // RFC 4648 section 10 without padding, and RFC 7515 appendix C.
    const std::pair<std::string_view, std::string_view> vectors[] = {
        {"", ""},
        {"f", "Zg"},
        {"fo", "Zm8"},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg"},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff", "-_8"},
        {"\0\0"sv, "AAA"},
        {"\x03\xec\xff\xe0\xc1", "A-z_4ME"},
    };
    for (const auto &[bytes, text] : vectors) {
        EXPECT_EQ(text, encode(bytes));
        EXPECT_EQ("value:" + std::string(bytes), decode(text));
    }
}

TEST(Base64UrlTest, OnlyTheCanonicalTextIsTaken) {
    constexpr std::string_view kTexts[] = {
        "Zg==", "Zg=",  "Zh",       "Zm9",  "Z",          "Zm9v=",   "Zm 9v",  "Zm9v\n", "\nZm9v",
        "Zm+v", "Zm/v", "Zm9v\0"sv, "\0"sv, "Zm\xff\xff", "Zm\x80v", "Zm9vYh", "Zm9vYmF"};
    for (const std::string_view text : kTexts)
        EXPECT_EQ("damaged", decode(text)) << text;
}

TEST(Base64UrlTest, EachByteAtEachPlaceEitherCountsOrIsRefused) {
    const std::string good = "Zm9vYg";
    for (std::size_t place = 0; place < good.size(); ++place)
        for (int byte = 0; byte < 256; ++byte) {
            std::string text = good;
            text[place] = static_cast<char>(byte);
            EXPECT_EQ(text == good, decode(text) == "value:foob") << byte << " at " << place;
        }
}

TEST(Base64UrlTest, TooLittleRoomIsRefused) {
    std::string text(4, '?');
    EXPECT_THROW(encodeBase64Url(Bytes{1, 2, 3}, text), Error);
    Bytes bytes(2);
    EXPECT_FALSE(decodeBase64Url("Zm9v", bytes));
    EXPECT_EQ(2U, decodeBase64Url("Zm8", bytes));
}

} // namespace
} // namespace keyhold
