// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/aes256cbc.h"

#include "conf/raised.h"
#include "conf/sodium.h"
#include "seal/base64.h"
#include "seal/golden.h"
#include "seal/misleading_key.h"
#include "seal/plain_of.h"
#include "seal/traces.h"

#include <algorithm>
#include <array>
#include <string>

#include <gnutls/crypto.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

Bytes open(const Keyring &ring, std::span<const std::uint8_t> text) {
    return plainOf(openAes256Cbc(ring, golden::uuid(), text), golden::uuid());
}

ErrorCode codeOf(const Keyring &ring, std::span<const std::uint8_t> text) {
    const auto raised = raisedBy([&] { (void)openAes256Cbc(ring, golden::uuid(), text); });
    return raised ? raised->code : ErrorCode::notActive;
}

Bytes base64(const Bytes &bytes) {
    Bytes text(plainTextSize(bytes.size()) + 1);
    encodePlain(bytes, text);
    text.pop_back();
    return text;
}

Bytes decoded(const Bytes &text) {
    Bytes bytes(text.size());
    bytes.resize(decodePlain(text, bytes).value());
    return bytes;
}

/// What libvirt writes of whole blocks, with whatever padding they hold.
Bytes encrypt(const std::array<std::uint8_t, Key::kSize> &raw, Bytes blocks) {
    Bytes initial(16, 0x42);
    Bytes bytes = initial;
    auto key = raw;
    const gnutls_datum_t keyDatum{key.data(), static_cast<unsigned>(key.size())};
    const gnutls_datum_t initialDatum{initial.data(), static_cast<unsigned>(initial.size())};
    gnutls_cipher_hd_t handle = nullptr;
    EXPECT_EQ(0, gnutls_cipher_init(&handle, GNUTLS_CIPHER_AES_256_CBC, &keyDatum, &initialDatum));
    EXPECT_EQ(0, gnutls_cipher_encrypt(handle, blocks.data(), blocks.size()));
    gnutls_cipher_deinit(handle);
    bytes.insert(bytes.end(), blocks.begin(), blocks.end());
    return base64(bytes);
}

/// `value` and PKCS #7 padding.
Bytes padded(Bytes value) {
    const std::size_t padding = 16 - value.size() % 16;
    value.resize(value.size() + padding, static_cast<std::uint8_t>(padding));
    return value;
}

TEST(Aes256CbcTest, OpensWhatLibvirtWrote) {
    const Keyring ring = golden::keyring();
    EXPECT_EQ(golden::read("value"), open(ring, golden::read("stock.aes256cbc")));
    const std::string sixteen = "0123456789abcdef";
    EXPECT_EQ(Bytes(sixteen.begin(), sixteen.end()),
              open(ring, golden::read("stock-16.aes256cbc")));
}

TEST(Aes256CbcTest, TakesWhiteSpaceLikeAPlainFile) {
    Bytes text = golden::read("stock.aes256cbc");
    text.insert(text.begin() + 20, '\n');
    text.push_back('\n');
    EXPECT_EQ(golden::read("value"), open(golden::keyring(), text));
}

TEST(Aes256CbcTest, ValuesOfAllSizesComeBack) {
    const Keyring ring = golden::keyring(9);
    for (std::size_t size = 0; size < 100; ++size) {
        const Bytes value(size, 'v');
        EXPECT_EQ(value, open(ring, encrypt(golden::counted(9), padded(value)))) << size;
    }
}

TEST(Aes256CbcTest, FindsTheKeyAmongSeveral) {
    Keyring ring = golden::keyring(150);
    // None of the others happens to fit this file.
    for (const int first : {160, 170, 0, 180})
        ring.addEarlier(golden::counted(static_cast<std::uint8_t>(first)));
    EXPECT_EQ(golden::read("value"), open(ring, golden::read("stock.aes256cbc")));
}

TEST(Aes256CbcTest, WithoutTheKeySaysSo) {
    const Bytes text = golden::read("stock.aes256cbc");
    for (const Keyring &ring : {Keyring(), golden::keyring(150)}) {
        const auto raised = raisedBy([&] { (void)openAes256Cbc(ring, golden::uuid(), text); });
        ASSERT_TRUE(raised);
        EXPECT_EQ(ErrorCode::invalidEncryptionKey, raised->code);
        EXPECT_NE(std::string::npos, raised->text.find("secrets_encryption_key"));
    }
}

// libvirt itself looks only whether the last byte is not larger than the value.
TEST(Aes256CbcTest, SaysWhyTheKeyIsMissingIfThatIsKnown) {
    for (const bool hasAnother : {false, true}) {
        Keyring ring = hasAnother ? golden::keyring(150) : Keyring();
        ring.noteMissing("key file '/a' is empty; put it right");
        const auto raised = raisedBy(
            [&] { (void)openAes256Cbc(ring, golden::uuid(), golden::read("stock.aes256cbc")); });
        ASSERT_TRUE(raised);
        EXPECT_EQ("is encrypted by libvirt, and no key that could be read fits: key file '/a' is "
                  "empty; put it right",
                  raised->text);
    }
}

TEST(Aes256CbcTest, WhileAKeyIsMissingAnEarlierOneDoesNotCount) {
    const Bytes text = golden::read("stock.aes256cbc");
    const auto wrong = misleadingKey({reinterpret_cast<const char *>(text.data()), text.size()});
    for (const bool hasPrimary : {false, true}) {
        Keyring ring = hasPrimary ? golden::keyring(150) : Keyring();
        ring.addEarlier(wrong);
        EXPECT_NE(golden::read("value"), open(ring, text)) << "nothing shows that it is wrong";
        ring.noteMissing("key file '/a' is empty; put it right");
        const auto raised = raisedBy([&] { (void)openAes256Cbc(ring, golden::uuid(), text); });
        ASSERT_TRUE(raised);
        EXPECT_EQ(ErrorCode::invalidEncryptionKey, raised->code);
        EXPECT_EQ("is encrypted by libvirt, which does not name the key; an earlier key seems to "
                  "fit, and the right one may be the one that could not be read: key file '/a' is "
                  "empty; put it right",
                  raised->text);
    }
}

TEST(Aes256CbcTest, WhileAKeyIsMissingThePrimaryOneOpens) {
    for (const bool maySeal : {false, true}) {
        Keyring ring;
        ring.setPrimary(golden::counted(0), maySeal);
        ring.noteMissing("key file '/a' is empty; put it right");
        EXPECT_EQ(golden::read("value"), open(ring, golden::read("stock.aes256cbc")));
    }
}

TEST(Aes256CbcTest, EveryPaddingButTheOneOfPkcs7IsRefused) {
    const Keyring ring = golden::keyring(9);
    for (std::size_t last = 0; last < 256; ++last)
        for (std::size_t wrong = 0; wrong <= 16; ++wrong) {
            Bytes blocks(48, 0x77);
            for (std::size_t i = 1; i <= std::min<std::size_t>(last, 16); ++i)
                blocks[48 - i] = static_cast<std::uint8_t>(last);
            blocks.back() = static_cast<std::uint8_t>(last);
            if (wrong > 1)
                blocks[48 - wrong] ^= 1;
            const bool isPadding = last >= 1 && last <= 16 && (wrong <= 1 || wrong > last);
            EXPECT_EQ(isPadding ? ErrorCode::notActive : ErrorCode::invalidEncryptionKey,
                      codeOf(ring, encrypt(golden::counted(9), blocks)))
                << last << " " << wrong;
        }
}

// Nothing in the file says which key it was. A wrong one passes once in 256 times.
TEST(Aes256CbcTest, WhereTwoKeysFitNoneIsUsed) {
    const Bytes text = golden::read("stock.aes256cbc");
    std::array<std::uint8_t, Key::kSize> raw{};
    int found = 0;
    for (unsigned i = 0; i < 20'000 && found < 3; ++i) {
        raw[0] = static_cast<std::uint8_t>(i);
        raw[1] = static_cast<std::uint8_t>(i >> 8);
        Keyring alone;
        alone.setPrimary(raw);
        if (codeOf(alone, text) != ErrorCode::notActive)
            continue;
        ++found;
        alone.addEarlier(golden::counted(0));
        const auto raised = raisedBy([&] { (void)openAes256Cbc(alone, golden::uuid(), text); });
        ASSERT_TRUE(raised);
        EXPECT_EQ(ErrorCode::invalidEncryptionKey, raised->code);
        EXPECT_NE(std::string::npos, raised->text.find("more than one"));
    }
    EXPECT_EQ(3, found);
}

TEST(Aes256CbcTest, DamageIsRefused) {
    const Keyring ring = golden::keyring();
    const Bytes bytes = decoded(golden::read("stock.aes256cbc"));
    ASSERT_EQ(48U, bytes.size());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        if (size != 32) {
            EXPECT_EQ(
                ErrorCode::valueUnreadable,
                codeOf(ring, base64(Bytes(bytes.begin(), bytes.begin() + static_cast<long>(size)))))
                << size;
        }
    for (const std::string_view text :
         {"", "\n", "not base64!", "AAAA", "====", "\xff\xff\xff\xff"})
        EXPECT_EQ(ErrorCode::valueUnreadable, codeOf(ring, bytesOf(text))) << text;
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_EQ(ErrorCode::valueUnreadable, codeOf(ring, base64(longer)));
    Bytes cut = golden::read("stock.aes256cbc");
    cut.pop_back();
    EXPECT_EQ(ErrorCode::valueUnreadable, codeOf(ring, cut));
}

#ifdef KEYHOLD_CAN_SEARCH_MEMORY
TEST(Aes256CbcTest, LeavesNeitherValueNorKeyInMemory) {
    std::array<std::uint8_t, Key::kSize> raw;
    fillRandom(raw);
    Keyring ring;
    ring.setPrimary(raw);
    Bytes value(40);
    fillRandom(value);
    const Bytes text = encrypt(raw, padded(value));
    const Key &key = *ring.current();
    const std::array own{std::span<const std::uint8_t>(value), std::span<const std::uint8_t>(raw),
                         std::span<const std::uint8_t>(key.raw()),
                         std::span<const std::uint8_t>(key.sealing())};
    // What this test's own encryption left behind is none of it.
    const std::size_t before = tracesInMemory(value, own);
    for (int round = 0; round < 3; ++round) {
        const ShieldedValue opened = openAes256Cbc(ring, golden::uuid(), text);
        EXPECT_EQ(before, tracesInMemory(value, own));
        EXPECT_EQ(0U, tracesInMemory(raw, own));
    }
    const Bytes stack = stackAfter([&] { (void)openAes256Cbc(ring, golden::uuid(), text); });
    EXPECT_EQ(0U, tracesIn(stack, value));
    EXPECT_EQ(0U, tracesIn(stack, raw));
}
#endif

} // namespace
} // namespace keyhold
