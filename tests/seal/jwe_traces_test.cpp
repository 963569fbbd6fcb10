// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/jwe.h"

#include "conf/raised.h"
#include "conf/sodium.h"
#include "seal/golden.h"
#include "seal/scratch.h"
#include "seal/traces.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#ifdef KEYHOLD_CAN_SEARCH_MEMORY

namespace keyhold {
namespace {

std::string seal(const Keyring &ring, std::span<const std::uint8_t> value) {
    return sealJwe(*ring.current(), golden::uuid(), value);
}

bool isRefused(const Keyring &ring, std::string_view text) {
    return raisedBy([&] { (void)openJwe(ring, golden::uuid(), bytesOf(text)); }).has_value();
}

/// Values of this kind of test are nowhere but where the test put them.
class Planted {
  public:
    explicit Planted(std::size_t size) : scratch_(size) { fillRandom(scratch_.bytes()); }
    std::span<const std::uint8_t> bytes() { return scratch_.bytes(); }

  private:
    Scratch scratch_;
};

TEST(JweTracesTest, LeavesNeitherValueNorKeyInMemory) {
    std::array<std::uint8_t, Key::kSize> raw;
    fillRandom(raw);
    Keyring ring;
    ring.setPrimary(raw);
    const Key &key = *ring.current();
    Planted planted(100);
    const std::array own{planted.bytes(), std::span<const std::uint8_t>(raw),
                         std::span<const std::uint8_t>(key.sealing()),
                         std::span<const std::uint8_t>(key.raw())};
    const std::string text = seal(ring, planted.bytes());
    for (int round = 0; round < 3; ++round) {
        const std::string again = seal(ring, planted.bytes());
        const ShieldedValue value = openJwe(ring, golden::uuid(), bytesOf(again));
        std::string altered = again;
        altered.front() = 'A';
        EXPECT_TRUE(isRefused(ring, altered));
        altered = again;
        altered[again.find("..") + 20] ^= 1;
        EXPECT_TRUE(isRefused(ring, altered));
        EXPECT_EQ(0U, tracesInMemory(planted.bytes(), own));
        EXPECT_EQ(0U, tracesInMemory(raw, own));
        EXPECT_EQ(0U, tracesInMemory(key.sealing(), own));
    }
    const Bytes afterSeal = stackAfter([&] { (void)seal(ring, planted.bytes()); });
    const Bytes afterOpen = stackAfter([&] { (void)openJwe(ring, golden::uuid(), bytesOf(text)); });
    for (const Bytes &stack : {afterSeal, afterOpen}) {
        EXPECT_EQ(0U, tracesIn(stack, planted.bytes()));
        EXPECT_EQ(0U, tracesIn(stack, key.sealing()));
        EXPECT_EQ(0U, tracesIn(stack, key.raw()));
    }
}

TEST(TracesTest, AreFoundOnTheHeap) {
    Planted planted(32);
    const std::array own{planted.bytes()};
    EXPECT_EQ(0U, tracesInMemory(planted.bytes(), own));
    const auto *copy = new Bytes(planted.bytes().begin(), planted.bytes().end());
    EXPECT_EQ(2U, tracesInMemory(planted.bytes(), own));
    delete copy;
}

} // namespace
} // namespace keyhold

#endif
