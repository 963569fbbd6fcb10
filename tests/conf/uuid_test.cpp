// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/uuid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace keyhold {
namespace {

constexpr const char *kCanonical = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f";

TEST(Uuid, IsNilByDefault) {
    EXPECT_EQ(Uuid().toString(), "00000000-0000-0000-0000-000000000000");
}

TEST(Uuid, FormatsItsBytesInOrder) {
    const std::array<std::uint8_t, 16> bytes{0x0a, 0x81, 0xf5, 0xb2, 0x84, 0x03, 0x7b, 0x23,
                                             0xc8, 0xd6, 0x21, 0xcc, 0xc2, 0xf8, 0x0d, 0x6f};
    const Uuid uuid(bytes);
    EXPECT_EQ(uuid.toString(), kCanonical);
    EXPECT_TRUE(std::ranges::equal(uuid.bytes(), bytes));
}

struct UuidText {
    const char *name;
    const char *text;
};

std::string nameOf(const testing::TestParamInfo<UuidText> &info) {
    return info.param.name;
}

class AcceptedUuid : public testing::TestWithParam<UuidText> {};

TEST_P(AcceptedUuid, IsParsed) {
    const auto uuid = Uuid::parse(GetParam().text);
    ASSERT_TRUE(uuid);
    EXPECT_EQ(uuid->toString(), kCanonical);
}

INSTANTIATE_TEST_SUITE_P(
    Uuid, AcceptedUuid,
    testing::Values(UuidText{"canonical", kCanonical},
                    UuidText{"upperCase", "0A81F5B2-8403-7B23-C8D6-21CCC2F80D6F"},
                    UuidText{"noDashes", "0a81f5b284037b23c8d621ccc2f80d6f"},
                    UuidText{"dashesElsewhere", "0a-81f5b28403-7b23c8d621ccc2f80d-6f"},
                    UuidText{"leadingDashes", "--0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"},
                    UuidText{"severalDashes", "0a81f5b2---8403-7b23-c8d6-21ccc2f80d6f"},
                    UuidText{"blanksBetweenPairs", "0a 81 f5b2-8403 -7b23-c8d6-21ccc2f80d6f"},
                    UuidText{"blanksAround", "  0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f  "},
                    UuidText{"whiteSpaceAround",
                             "\n\t\r\f0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f\n\t\r\f "}),
    nameOf);

class RefusedUuid : public testing::TestWithParam<UuidText> {};

TEST_P(RefusedUuid, IsNotParsed) {
    EXPECT_FALSE(Uuid::parse(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Uuid, RefusedUuid,
    testing::Values(UuidText{"empty", ""}, UuidText{"blanks", "   "}, UuidText{"word", "nope"},
                    UuidText{"oneDigitShort", "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6"},
                    UuidText{"onePairShort", "0a81f5b2-8403-7b23-c8d6-21ccc2f80d"},
                    UuidText{"onePairLong", "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f00"},
                    UuidText{"wrongDigit", "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6g"},
                    UuidText{"dashWithinPair", "0-a81f5b28403-7b23-c8d6-21ccc2f80d6f"},
                    UuidText{"blankWithinPair", "0 a81f5b28403-7b23-c8d6-21ccc2f80d6f"},
                    UuidText{"trailingDash", "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f-"},
                    UuidText{"trailingText", "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f x"},
                    UuidText{"tabBetweenPairs", "0a81f5b2\t8403-7b23-c8d6-21ccc2f80d6f"},
                    UuidText{"newlineBetweenPairs", "0a81f5b2\n8403-7b23-c8d6-21ccc2f80d6f"},
                    UuidText{"verticalTab", "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f\v"},
                    UuidText{"braces", "{0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f}"},
                    UuidText{"urn", "urn:uuid:0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"},
                    UuidText{"fullWidthDigit", "\xef\xbc\x90"
                                               "a81f5b284037b23c8d621ccc2f80d6f"}),
    nameOf);

TEST(Uuid, ParsesNilAndAllOnes) {
    EXPECT_EQ(Uuid::parse("00000000-0000-0000-0000-000000000000"), Uuid());
    const auto ones = Uuid::parse("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF");
    ASSERT_TRUE(ones);
    EXPECT_EQ(ones->toString(), "ffffffff-ffff-ffff-ffff-ffffffffffff");
}

TEST(Uuid, ParsesNoFurtherThanTheView) {
    EXPECT_FALSE(Uuid::parse(std::string_view(kCanonical, 35)));
    EXPECT_FALSE(Uuid::parse(std::string_view("0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f\0", 37)));
}

TEST(Uuid, CanonicalFormIsTheOnlyFileName) {
    EXPECT_TRUE(Uuid::parseCanonical(kCanonical));
    EXPECT_FALSE(Uuid::parseCanonical("0A81F5B2-8403-7B23-C8D6-21CCC2F80D6F"));
    EXPECT_FALSE(Uuid::parseCanonical("0a81f5b284037b23c8d621ccc2f80d6f"));
    EXPECT_FALSE(Uuid::parseCanonical(" 0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"));
    EXPECT_FALSE(Uuid::parseCanonical("0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f\n"));
    EXPECT_FALSE(Uuid::parseCanonical("foo"));
    EXPECT_FALSE(Uuid::parseCanonical(""));
}

TEST(Uuid, GeneratedOnesAreRandomVersion4) {
    std::set<Uuid> seen;
    std::array<std::uint8_t, 16> everSet{};
    std::array<std::uint8_t, 16> everClear{};
    for (int i = 0; i < 1000; ++i) {
        const Uuid uuid = Uuid::generate();
        EXPECT_EQ(uuid.bytes()[6] & 0xf0, 0x40) << uuid.toString();
        EXPECT_EQ(uuid.bytes()[8] & 0xc0, 0x80) << uuid.toString();
        EXPECT_TRUE(seen.insert(uuid).second) << uuid.toString();
        for (std::size_t byte = 0; byte < 16; ++byte) {
            everSet[byte] = static_cast<std::uint8_t>(everSet[byte] | uuid.bytes()[byte]);
            everClear[byte] = static_cast<std::uint8_t>(everClear[byte] | ~uuid.bytes()[byte]);
        }
    }
    // Every bit but those of version and variant took both values.
    for (std::size_t byte = 0; byte < 16; ++byte) {
        const int fixed = byte == 6 ? 0xf0 : byte == 8 ? 0xc0 : 0;
        EXPECT_EQ(everSet[byte] | fixed, 0xff) << "byte " << byte;
        EXPECT_EQ(everClear[byte] | fixed, 0xff) << "byte " << byte;
    }
}

TEST(Uuid, HashFollowsEquality) {
    EXPECT_EQ(UuidHash()(*Uuid::parse(kCanonical)),
              UuidHash()(*Uuid::parse("0A81F5B284037B23C8D621CCC2F80D6F")));
    EXPECT_NE(UuidHash()(*Uuid::parse(kCanonical)), UuidHash()(Uuid()));
}

} // namespace
} // namespace keyhold
