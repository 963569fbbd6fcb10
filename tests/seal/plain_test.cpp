// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/base64.h"

#include "conf/error.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

using Bytes = std::vector<std::uint8_t>;
using namespace std::string_view_literals;

Bytes bytesOf(std::string_view text) {
    return {text.begin(), text.end()};
}

std::string encode(std::string_view value) {
    Bytes text(plainTextSize(value.size()) + 1);
    encodePlain(bytesOf(value), text);
    EXPECT_EQ(0, text.back());
    return {text.begin(), text.end() - 1};
}

/// "value:..." or the name of the other forms.
std::string decode(std::string_view text) {
    Bytes value(text.size() / 4 * 3 + 3, 0xee);
    const auto size = decodePlain(bytesOf(text), value);
    if (size && *size > 0)
        return "value:" +
               std::string(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(*size));
    EXPECT_EQ(Bytes(value.size(), size ? 0xee : 0), value) << "left behind by: " << text;
    return size ? "blank" : "damaged";
}

/// RFC 4648, section 10.
constexpr std::pair<std::string_view, std::string_view> kVectors[] = {
    {"f", "Zg=="},        {"fo", "Zm8="},        {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
    {"\xfb\xff", "+/8="}, {"\0\0\0"sv, "AAAA"},  {"\0"sv, "AA=="},
};

TEST(PlainTest, EncodesAndDecodesKnownAnswers) {
    for (const auto &[value, text] : kVectors) {
        EXPECT_EQ(text, encode(value));
        EXPECT_EQ("value:" + std::string(value), decode(text));
    }
    EXPECT_EQ("", encode(""));
}

TEST(PlainTest, EncodingWritesExactlyWhatItSays) {
    for (std::size_t size = 0; size <= 100; ++size) {
        const Bytes value(size, 'v');
        Bytes text(plainTextSize(size) + 8, 0xee);
        encodePlain(value, text);
        EXPECT_EQ((size + 2) / 3 * 4, plainTextSize(size));
        const auto end = text.begin() + static_cast<std::ptrdiff_t>(plainTextSize(size));
        EXPECT_EQ(text.end(), std::find_if(end + 1, text.end(), [](auto b) { return b != 0xee; }));
        EXPECT_EQ(end, std::find(text.begin(), text.end(), 0));
    }
}

TEST(PlainTest, ValuesOfAllSizesComeBack) {
    for (std::size_t size = 1; size <= 70'000; size += size < 300 ? 1 : 6971) {
        Bytes value(size);
        for (std::size_t i = 0; i < size; ++i)
            value[i] = static_cast<std::uint8_t>(i * 197 + size);
        Bytes text(plainTextSize(size) + 1);
        encodePlain(value, text);
        text.pop_back();
        Bytes decoded(text.size() / 4 * 3 + 3);
        ASSERT_EQ(size, decodePlain(text, decoded));
        decoded.resize(size);
        ASSERT_EQ(value, decoded);
    }
}

TEST(PlainTest, WhiteSpaceMayStandAnywhere) {
    for (std::string_view text : {"aGVsbG8=\n", "aGVsbG8=\r\n", " aGVsbG8=", "aGVs\nbG8=\n",
                                  "\taGV sbG\r8 =\t", "a G V s b G 8 = "})
        EXPECT_EQ("value:hello", decode(text)) << text;
    EXPECT_EQ("value:h", decode("aA=\n="));
}

TEST(PlainTest, NothingButWhiteSpaceIsNoValue) {
    for (std::string_view text : {"", "\n", " \t\r\n", "     "})
        EXPECT_EQ("blank", decode(text));
}

TEST(PlainTest, NonCanonicalTextIsDamaged) {
    for (std::string_view text : {
             "aGVsbG8",              // padding cut off
             "aGVsbG8 ",             //
             "aGVsbA=",              // half of it
             "aGVsb",                // in the middle of a group
             "a",                    //
             "=",                    // padding of nothing
             "====",                 //
             "aGVsbG8==",            // too much padding
             "aGVs=",                //
             "aGVsbG8=aGVsbG8=",     // two texts
             "aGVsbG8=\naGVs",       //
             "aGVsbG9=",             // bits set that no byte holds: the same value as aGVsbG8=
             "aB==",                 //
             "aGVs-_8=",             // the alphabet for URLs
             "aGVs,bG8=",            //
             "=aGVsbG8=",            //
             "aGV=bG8=",             //
             "aGVsbG8=\v",           // white space, but not what people's tools write
             "\357\273\277aGVsbG8=", // byte order mark
             "<html>",               //
         })
        EXPECT_EQ("damaged", decode(text)) << text;
}

TEST(PlainTest, EveryForeignByteAtEveryPlaceIsDamage) {
    const std::string good = "aGVsbG8gd29ybGQ=";
    const std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
        " \t\r\n";
    for (int byte = 0; byte < 256; ++byte) {
        const char foreign = static_cast<char>(byte);
        if (allowed.find(foreign) != std::string_view::npos)
            continue;
        for (std::size_t place = 0; place <= good.size(); ++place) {
            std::string inserted = good;
            inserted.insert(place, 1, foreign);
            EXPECT_EQ("damaged", decode(inserted)) << byte << " at " << place;
            if (place == good.size())
                continue;
            std::string replaced = good;
            replaced[place] = foreign;
            EXPECT_EQ("damaged", decode(replaced)) << byte << " at " << place;
        }
    }
}

TEST(PlainTest, EveryCutOfATextIsDamagedOrAShorterTextItself) {
    const std::string text = encode("sixteen bytes ok");
    for (std::size_t size = 1; size < text.size(); ++size)
        EXPECT_EQ(size % 4 == 0, decode(text.substr(0, size)).starts_with("value:")) << size;
}

template <typename Call>
ErrorCode codeOf(Call call) {
    try {
        call();
    } catch (const Error &error) {
        return error.code();
    }
    return ErrorCode::notFound;
}

TEST(PlainTest, TooLittleRoomIsRefused) {
    Bytes text(8);
    EXPECT_EQ(ErrorCode::internal, codeOf([&] { encodePlain(bytesOf("12345"), text); }));
    EXPECT_EQ(Bytes(8), text);
    Bytes value(5);
    EXPECT_EQ(ErrorCode::internal, codeOf([&] { (void)decodePlain(bytesOf("Zm9v"), value); }));
}

} // namespace
} // namespace keyhold
