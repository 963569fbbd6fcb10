// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/ciphers.h"

#include "conf/sodium.h"
#include "seal/traces.h"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

class CiphersTest : public ::testing::Test {
  protected:
    CiphersTest() {
        fillRandom(key);
        fillRandom(plain);
    }

    std::array<std::uint8_t, ciphers::kKeySize> key;
    std::array<std::uint8_t, ciphers::kNonceSize> nonce{};
    std::array<std::uint8_t, ciphers::kBlockSize> initial{};
    Bytes plain = Bytes(96);
    Bytes box = Bytes(96 + ciphers::kTagSize);
};

// What the forms do with the result afterwards may wipe the stack as well; here nothing does.
TEST_F(CiphersTest, LeaveNeitherKeyNorValueOnTheStack) {
    Bytes opened(plain.size());
    const Bytes afterSeal = stackAfter([&] { ciphers::sealGcm(key, nonce, {}, plain, box); });
    const Bytes afterOpen =
        stackAfter([&] { EXPECT_TRUE(ciphers::openGcm(key, nonce, {}, box, opened)); });
    EXPECT_EQ(plain, opened);
    // Any bytes are the encryption of some value, which is then looked for.
    const Bytes afterCbc = stackAfter([&] { ciphers::decryptCbc(key, initial, plain, opened); });
    EXPECT_EQ(0U, tracesIn(afterCbc, opened));
    std::array<std::uint8_t, ciphers::kKeySize> derived;
    const Bytes afterDerive = stackAfter([&] { ciphers::deriveKey(key, nonce, initial, derived); });
    EXPECT_EQ(0U, tracesIn(afterDerive, derived));
    for (const Bytes &stack : {afterSeal, afterOpen, afterCbc, afterDerive}) {
        EXPECT_EQ(0U, tracesIn(stack, key));
        EXPECT_EQ(0U, tracesIn(stack, plain));
    }
}

// NIST's GCM vectors for AES-256 (test case 14): key, nonce and 16 bytes of plaintext are zero.
TEST_F(CiphersTest, GcmGivesTheKnownAnswer) {
    key.fill(0);
    const Bytes zeros(16);
    Bytes sealed(32);
    ciphers::sealGcm(key, nonce, {}, zeros, sealed);
    const Bytes expected = {0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5,
                            0xd3, 0xba, 0xf3, 0x9d, 0x18, 0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99,
                            0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
    EXPECT_EQ(expected, sealed);
}

TEST_F(CiphersTest, AnUnauthenticBoxLeavesZeros) {
    ciphers::sealGcm(key, nonce, {}, plain, box);
    box[5] ^= 1;
    Bytes opened(plain.size(), 0xee);
    EXPECT_FALSE(ciphers::openGcm(key, nonce, {}, box, opened));
    EXPECT_EQ(Bytes(plain.size()), opened);
    Bytes wrongSize(plain.size() + 1, 0xee);
    EXPECT_FALSE(ciphers::openGcm(key, nonce, {}, box, wrongSize));
    EXPECT_EQ(Bytes(wrongSize.size()), wrongSize);
}

} // namespace
} // namespace keyhold
