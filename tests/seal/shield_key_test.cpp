// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/shield_key.h"

#include "seal/process.h"
#include "seal/traces.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>

namespace keyhold {
namespace {

using KeyBytes = std::array<std::uint8_t, ShieldKey::kKeySize>;

KeyBytes countedKey() {
    KeyBytes key;
    for (std::size_t i = 0; i < key.size(); ++i)
        key[i] = static_cast<std::uint8_t>(i);
    return key;
}

Uuid countedUuid() {
    std::array<std::uint8_t, Uuid::kSize> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(0xa0 + i);
    return Uuid(bytes);
}

Bytes pattern(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 256 + 11);
    return bytes;
}

class ShieldKeyTest : public ::testing::TestWithParam<ShieldCipher> {
  protected:
    static Bytes seal(const ShieldKey &key, const Bytes &plain, std::uint64_t nonce = kNonce) {
        Bytes box(plain.size() + ShieldKey::kTagSize);
        key.seal(countedUuid(), nonce, plain, box.data());
        return box;
    }

    /// True, with the plain bytes, if it opens; false if not, after a look that nothing is left.
    static bool opens(const ShieldKey &key, const Bytes &box, Bytes *plain = nullptr,
                      const Uuid &uuid = countedUuid(), std::uint64_t nonce = kNonce) {
        Bytes found(box.size() - ShieldKey::kTagSize, 0xee);
        const bool opened = key.open(uuid, nonce, box.data(), found);
        if (!opened) {
            EXPECT_EQ(Bytes(found.size(), 0), found);
        }
        if (plain != nullptr)
            *plain = found;
        return opened;
    }

    static constexpr std::uint64_t kNonce = 0x0102030405060708;
};

/// Those that a process here can come to use: AES is never used without instructions for it.
std::vector<ShieldCipher> usableCiphers() {
    std::vector<ShieldCipher> ciphers{ShieldCipher::aes256Gcm, ShieldCipher::chaCha20Poly1305};
    std::erase_if(ciphers, [](ShieldCipher cipher) { return !ShieldKey::isAvailable(cipher); });
    return ciphers;
}

INSTANTIATE_TEST_SUITE_P(Usable, ShieldKeyTest, ::testing::ValuesIn(usableCiphers()),
                         [](const auto &test) {
                             return test.param == ShieldCipher::aes256Gcm ? "aes256Gcm"
                                                                          : "chaCha20Poly1305";
                         });

// Computed with GnuTLS 3.7.9: key 00..1f, nonce 00000000 0102030405060708, the uuid a0..af as
// additional data.
TEST_P(ShieldKeyTest, GivesKnownAnswers) {
    const bool isAes = GetParam() == ShieldCipher::aes256Gcm;
    const Bytes ofNothing = isAes ? Bytes{0x40, 0x14, 0x82, 0x6c, 0xc6, 0xc5, 0x26, 0x6b,
                                          0x93, 0x06, 0x53, 0x7f, 0xa6, 0xa3, 0x45, 0xd8}
                                  : Bytes{0x92, 0x46, 0x30, 0x09, 0xf3, 0xd2, 0x14, 0x47,
                                          0xde, 0xe2, 0x71, 0xbf, 0xa7, 0xbf, 0xf6, 0xeb};
    const Bytes ofText = isAes ? Bytes{0x65, 0x71, 0x16, 0x6b, 0xbe, 0x93, 0x6c, 0xea, 0x23, 0xe9,
                                       0x9c, 0x83, 0x6b, 0x02, 0xe3, 0xe6, 0xca, 0xde, 0x4b, 0xe6,
                                       0x3c, 0xb3, 0x7f, 0x5b, 0x45, 0x11, 0x8c, 0x33, 0xf9, 0x3f}
                               : Bytes{0x8e, 0xc6, 0xd6, 0x9d, 0xc6, 0xfe, 0xcd, 0xe8, 0x30, 0xc9,
                                       0x89, 0xba, 0xff, 0x89, 0xdf, 0xb6, 0x9a, 0x5e, 0x35, 0xe9,
                                       0x28, 0x9d, 0xa3, 0x95, 0xb0, 0x2b, 0xc2, 0xac, 0x2f, 0xea};
    const std::string text = "a secret value";
    const KeyBytes bytes = countedKey();
    const ShieldKey key(GetParam(), bytes);
    EXPECT_EQ(ofNothing, seal(key, {}));
    EXPECT_EQ(ofText, seal(key, Bytes(text.begin(), text.end())));
}

TEST_P(ShieldKeyTest, WhatItSealedItOpens) {
    const ShieldKey key(GetParam());
    for (std::size_t size : {0UL, 1UL, 15UL, 16UL, 17UL, 127UL, 128UL, 129UL, 65536UL, 1048576UL}) {
        const Bytes plain = pattern(size);
        const Bytes box = seal(key, plain);
        Bytes opened;
        EXPECT_TRUE(opens(key, box, &opened)) << size;
        EXPECT_EQ(plain, opened) << size;
        if (size >= 16) {
            EXPECT_EQ(box.end(),
                      std::search(box.begin(), box.end(), plain.begin(), plain.begin() + 16));
        }
    }
}

TEST_P(ShieldKeyTest, EveryFlippedBitIsNoticed) {
    const ShieldKey key(GetParam());
    for (std::size_t size : {0UL, 1UL, 33UL, 140UL}) {
        const Bytes box = seal(key, pattern(size));
        for (std::size_t bit = 0; bit < 8 * box.size(); ++bit) {
            Bytes altered = box;
            altered[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
            EXPECT_FALSE(opens(key, altered)) << "bit " << bit << " of " << size << " bytes";
        }
    }
}

TEST_P(ShieldKeyTest, AnotherUuidNonceKeyOrSizeIsRefused) {
    const KeyBytes bytes = countedKey();
    const ShieldKey key(GetParam(), bytes);
    const Bytes box = seal(key, pattern(40));
    ASSERT_TRUE(opens(key, box));
    for (std::size_t bit = 0; bit < 8 * Uuid::kSize; ++bit) {
        std::array<std::uint8_t, Uuid::kSize> other;
        std::copy_n(countedUuid().bytes().begin(), other.size(), other.begin());
        other[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(opens(key, box, nullptr, Uuid(other))) << bit;
    }
    for (unsigned bit = 0; bit < 64; ++bit)
        EXPECT_FALSE(opens(key, box, nullptr, countedUuid(), kNonce ^ std::uint64_t{1} << bit));
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        KeyBytes other = bytes;
        other[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(opens(ShieldKey(GetParam(), other), box)) << bit;
    }
    EXPECT_FALSE(opens(key, Bytes(box.begin(), box.end() - 1)));
    EXPECT_FALSE(opens(key, Bytes(box.begin() + 1, box.end())));
}

TEST_P(ShieldKeyTest, RandomKeysDiffer) {
    const Bytes box = seal(ShieldKey(GetParam()), pattern(40));
    EXPECT_FALSE(opens(ShieldKey(GetParam()), box));
}

TEST_P(ShieldKeyTest, OneNonceGivesOneBoxAndAnotherNonceAnother) {
    const ShieldKey key(GetParam());
    EXPECT_EQ(seal(key, pattern(40), 1), seal(key, pattern(40), 1));
    EXPECT_NE(seal(key, pattern(40), 1), seal(key, pattern(40), 2));
    EXPECT_NE(seal(key, pattern(40), 1), seal(key, pattern(40), std::uint64_t{1} << 56));
}

TEST_P(ShieldKeyTest, IsDeadInAForkedChild) {
    const ShieldKey key(GetParam());
    EXPECT_TRUE(key_memory::isOurs());
    EXPECT_EQ(0, inChild([] { return key_memory::isOurs() ? 1 : 0; }));
    EXPECT_TRUE(key_memory::isOurs());
}

TEST(StackTraces, AreFoundWhereThereAreAny) {
    const Bytes secret = pattern(64);
    const Bytes stack = stackAfter([&] {
        // The copy is at the far end of a frame as large as a cipher's: what the thread calls when
        // it ends does not reach it.
        std::uint8_t frame[1024];
        std::memcpy(frame, secret.data(), secret.size());
        asm volatile("" : : "r"(frame) : "memory");
    });
    EXPECT_EQ(8U, tracesIn(stack, secret));
}

TEST_P(ShieldKeyTest, LeavesNeitherKeyNorValueNorKeyStreamOnTheStack) {
    KeyBytes bytes;
    const Bytes unlikely = pattern(bytes.size());
    std::copy(unlikely.begin(), unlikely.end(), bytes.begin());
    const ShieldKey key(GetParam(), bytes);
    for (std::size_t size : {40UL, 100UL, 1000UL}) {
        const Bytes plain = pattern(size);
        Bytes box = seal(key, plain);
        Bytes keyStream(size);
        std::transform(plain.begin(), plain.end(), box.begin(), keyStream.begin(),
                       [](auto p, auto c) { return static_cast<std::uint8_t>(p ^ c); });
        Bytes opened(size);
        const Bytes afterSeal =
            stackAfter([&] { key.seal(countedUuid(), kNonce, plain, box.data()); });
        const Bytes afterOpen =
            stackAfter([&] { EXPECT_TRUE(key.open(countedUuid(), kNonce, box.data(), opened)); });
        for (const Bytes &stack : {afterSeal, afterOpen}) {
            EXPECT_EQ(0U, tracesIn(stack, plain)) << size;
            EXPECT_EQ(0U, tracesIn(stack, keyStream)) << size;
            EXPECT_EQ(0U, tracesIn(stack, bytes)) << size;
        }
    }
    const Bytes afterMaking = stackAfter([&] { ShieldKey made(GetParam(), bytes); });
    EXPECT_EQ(0U, tracesIn(afterMaking, bytes));
}

TEST(ShieldKeyOfProcess, IsOneAndUsesTheBestCipher) {
    EXPECT_EQ(&ShieldKey::ofProcess(), &ShieldKey::ofProcess());
    EXPECT_TRUE(ShieldKey::isAvailable(ShieldCipher::chaCha20Poly1305));
}

#ifdef __x86_64__
TEST(ShieldKeyOfProcess, UsesAesWhereverTheProcessorHasIt) {
    const bool hasAes = __builtin_cpu_supports("aes") != 0 &&
                        __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("avx") != 0;
    EXPECT_GE(ShieldKey::isAvailable(ShieldCipher::aes256Gcm), hasAes);
}
#endif

} // namespace
} // namespace keyhold
