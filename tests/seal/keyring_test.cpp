// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/keyring.h"

#include "conf/error.h"
#include "conf/sodium.h"
#include "seal/golden.h"
#include "seal/process.h"
#include "seal/traces.h"

#include <algorithm>
#include <array>
#include <string>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

constexpr std::string_view kCountedId = "SM6sNBbm-_qHRISOuUicIXoK4USkN1Pl2W2yASoJjAI";

std::string hexOf(std::span<const std::uint8_t> bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

// Computed with Python's hmac and hashlib, and the id with Debian's jose.
TEST(KeyTest, IsDerivedAndNamedAsDocumented) {
    const Key key(golden::counted(0));
    EXPECT_EQ("c65e9d676d0d99ec135ba003e238516e5e65444a8fc556660af1ef81b78c06a2",
              hexOf(key.sealing()));
    EXPECT_EQ(kCountedId, key.id());
    EXPECT_TRUE(std::ranges::equal(golden::counted(0), key.raw()));
    EXPECT_EQ("jQLiS1SfCxntzfkn_VGOReXDcGqDTYgjvuaymG_qKpY", Key(golden::counted(32)).id());
}

TEST(KeyTest, EveryBitOfTheRawKeyCounts) {
    const Key key(golden::counted(0));
    for (std::size_t bit = 0; bit < 8 * Key::kSize; ++bit) {
        auto raw = golden::counted(0);
        raw[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        const Key other(raw);
        EXPECT_NE(key.id(), other.id());
        EXPECT_FALSE(std::ranges::equal(key.sealing(), other.sealing()));
    }
}

TEST(KeyTest, IsExportedAsAJwkOfTheDerivedKey) {
    const Key key(golden::counted(0));
    std::array<std::uint8_t, Key::kJwkSize> jwk;
    key.writeJwk(jwk);
    EXPECT_TRUE(std::ranges::equal(golden::read("key.jwk"), jwk))
        << std::string(jwk.begin(), jwk.end());
}

TEST(KeyTest, MovesAndStaysInPlace) {
    Key first(golden::counted(0));
    const std::uint8_t *place = first.sealing().data();
    const Key second(std::move(first));
    EXPECT_EQ(place, second.sealing().data());
    EXPECT_EQ(kCountedId, second.id());
}

TEST(KeyTest, AForkedChildIsRefused) {
    const Key key(golden::counted(0));
    EXPECT_EQ(0, inChild([&] {
                  for (int i = 0; i < 2; ++i)
                      try {
                          (void)(i == 0 ? key.sealing() : key.raw());
                          return 1;
                      } catch (const Error &error) {
                          if (error.code() != ErrorCode::internal)
                              return 2;
                      }
                  return 0;
              }));
}

#ifdef KEYHOLD_CAN_SEARCH_MEMORY
TEST(KeyTest, MakingOneLeavesNothingOnHeapOrStack) {
    std::array<std::uint8_t, Key::kSize> raw; // counted bytes are in tables of the C library
    fillRandom(raw);
    const Key key(raw);
    const Bytes stack = stackAfter([&] { const Key made(raw); });
    EXPECT_EQ(0U, tracesIn(stack, raw));
    EXPECT_EQ(0U, tracesIn(stack, key.sealing()));
    const std::array own{std::span<const std::uint8_t>(raw),
                         std::span<const std::uint8_t>(key.raw()),
                         std::span<const std::uint8_t>(key.sealing())};
    EXPECT_EQ(0U, tracesInMemory(raw, own));
    EXPECT_EQ(0U, tracesInMemory(key.sealing(), own));
}
#endif

TEST(KeyringTest, WithoutKeysHasNone) {
    const Keyring ring;
    EXPECT_EQ(nullptr, ring.current());
    EXPECT_TRUE(ring.keys().empty());
    EXPECT_EQ(nullptr, ring.find(kCountedId));
    EXPECT_EQ(nullptr, ring.find(""));
}

TEST(KeyringTest, FindsKeysAndSealsWithTheCurrentOne) {
    Keyring ring;
    ring.addEarlier(golden::counted(0));
    EXPECT_EQ(nullptr, ring.current());
    ring.addEarlier(golden::counted(1));
    ring.setPrimary(golden::counted(2));
    ASSERT_NE(nullptr, ring.current());
    EXPECT_EQ(Key(golden::counted(2)).id(), ring.current()->id());
    ASSERT_EQ(3U, ring.keys().size());
    EXPECT_EQ(ring.current(), ring.keys().data());
    for (const int first : {0, 1, 2}) {
        const std::string id = Key(golden::counted(static_cast<std::uint8_t>(first))).id();
        ASSERT_NE(nullptr, ring.find(id));
        EXPECT_EQ(id, ring.find(id)->id());
    }
    EXPECT_EQ(nullptr, ring.find(Key(golden::counted(3)).id()));
    EXPECT_EQ(nullptr, ring.find(kCountedId.substr(1)));
}

TEST(KeyringTest, HoldsEachKeyOnce) {
    Keyring ring;
    ring.setPrimary(golden::counted(0));
    ring.addEarlier(golden::counted(0));
    ring.addEarlier(golden::counted(1));
    ring.addEarlier(golden::counted(1));
    EXPECT_EQ(2U, ring.keys().size());
    ring.setPrimary(golden::counted(1));
    EXPECT_EQ(2U, ring.keys().size());
    EXPECT_EQ(Key(golden::counted(1)).id(), ring.current()->id());
    EXPECT_NE(nullptr, ring.find(kCountedId));
}

TEST(KeyringTest, HoldsManyKeys) {
    Keyring ring;
    for (std::uint8_t first = 0; first < 200; ++first)
        ring.addEarlier(golden::counted(first));
    EXPECT_EQ(200U, ring.keys().size());
    EXPECT_NE(nullptr, ring.find(kCountedId));
}

} // namespace
} // namespace keyhold
