// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/jwe.h"

#include "conf/raised.h"
#include "conf/sodium.h"
#include "seal/golden.h"
#include "seal/plain_of.h"
#include "seal/traces.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

using namespace std::string_literals;

Bytes pattern(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::uint8_t>(i * 13 + 7);
    return bytes;
}

Bytes open(const Keyring &ring, std::span<const std::uint8_t> text) {
    return plainOf(openJwe(ring, golden::uuid(), text), golden::uuid());
}

std::string seal(const Keyring &ring, std::span<const std::uint8_t> value) {
    return sealJwe(*ring.current(), golden::uuid(), value);
}

bool opens(const Keyring &ring, std::string_view text) {
    return !raisedBy([&] { (void)openJwe(ring, golden::uuid(), bytesOf(text)); });
}

TEST(JweTest, OpensWhatOtherImplementationsSealed) {
    const Keyring ring = golden::keyring();
    for (const char *name : {"sealed.jwe", "jose.jwe", "node-jose.jwe", "other-form.jwe"}) {
        EXPECT_EQ(golden::read("value"), open(ring, golden::read(name))) << name;
        EXPECT_EQ(ring.current()->id(), keyIdOfJwe(golden::read(name))) << name;
    }
}

TEST(JweTest, OpensWithAnEarlierKey) {
    Keyring ring = golden::keyring(200);
    ring.addEarlier(golden::counted(0));
    EXPECT_EQ(golden::read("value"), open(ring, golden::read("sealed.jwe")));
}

TEST(JweTest, NamesTheKeyThatIsMissing) {
    const std::string id = "jQLiS1SfCxntzfkn_VGOReXDcGqDTYgjvuaymG_qKpY";
    const Bytes text = golden::read("other-key.jwe");
    EXPECT_EQ(id, keyIdOfJwe(text));
    for (const Keyring &ring : {Keyring(), golden::keyring()}) {
        const auto raised = raisedBy([&] { (void)openJwe(ring, golden::uuid(), text); });
        ASSERT_TRUE(raised);
        EXPECT_EQ(ErrorCode::invalidEncryptionKey, raised->code);
        EXPECT_TRUE(raised->text.starts_with("is sealed with key '" + id + "'")) << raised->text;
        EXPECT_NE(std::string::npos, raised->text.find("secrets_decryption_keys"));
    }
}

TEST(JweTest, SaysWhyTheKeyIsMissingIfThatIsKnown) {
    Keyring ring = golden::keyring();
    ring.noteMissing("key file '/a' is empty; put it right");
    ring.noteMissing("key file '/b' is a FIFO; put it right");
    const auto raised =
        raisedBy([&] { (void)openJwe(ring, golden::uuid(), golden::read("other-key.jwe")); });
    ASSERT_TRUE(raised);
    EXPECT_EQ("is sealed with key 'jQLiS1SfCxntzfkn_VGOReXDcGqDTYgjvuaymG_qKpY', which is not "
              "among those that could be read: key file '/a' is empty; put it right; key file "
              "'/b' is a FIFO; put it right",
              raised->text);
}

TEST(JweTest, WritesTheDocumentedHeader) {
    const Keyring ring = golden::keyring();
    const Bytes golden = golden::read("sealed.jwe");
    const std::string text = seal(ring, pattern(40));
    const std::string header = text.substr(0, text.find('.') + 2);
    EXPECT_TRUE(std::equal(header.begin(), header.end(), golden.begin())) << text;
    EXPECT_EQ(std::string::npos,
              text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-_."));
}

TEST(JweTest, ValuesOfAllSizesComeBack) {
    const Keyring ring = golden::keyring();
    for (std::size_t size = 0; size <= 70'000; size += size < 70 ? 1 : 6971) {
        const Bytes value = pattern(size);
        const std::string text = seal(ring, value);
        ASSERT_EQ(value, open(ring, bytesOf(text))) << size;
    }
}

TEST(JweTest, TheTextHoldsNothingOfTheValue) {
    const Bytes value = pattern(1000);
    const std::string text = seal(golden::keyring(), value);
    EXPECT_EQ(0U, tracesIn(bytesOf(text), value));
}

TEST(JweTest, NoNonceComesTwice) {
    const Keyring ring = golden::keyring();
    const Bytes value = pattern(5);
    std::set<std::string> nonces;
    for (int i = 0; i < 5000; ++i) {
        const std::string text = seal(ring, value);
        const std::size_t start = text.find("..") + 2;
        EXPECT_TRUE(nonces.insert(text.substr(start, 16)).second);
    }
}

TEST(JweTest, EveryFlippedBitIsRefused) {
    const Keyring ring = golden::keyring();
    for (std::size_t size : {1UL, 2UL, 3UL, 28UL}) {
        const std::string text = seal(ring, pattern(size));
        for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
            std::string altered = text;
            altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << bit % 8));
            EXPECT_FALSE(opens(ring, altered)) << "bit " << bit << " of " << text;
        }
        EXPECT_TRUE(opens(ring, text));
    }
}

TEST(JweTest, EveryOtherByteAtEveryPlaceIsRefused) {
    const Keyring ring = golden::keyring();
    const std::string text = seal(ring, pattern(7));
    for (std::size_t place = 0; place < text.size(); ++place)
        for (int byte = 0; byte < 256; ++byte) {
            std::string altered = text;
            altered[place] = static_cast<char>(byte);
            EXPECT_EQ(altered == text, opens(ring, altered)) << byte << " at " << place;
        }
}

TEST(JweTest, EveryCutAndEveryAdditionIsRefused) {
    const Keyring ring = golden::keyring();
    const std::string text = seal(ring, pattern(28));
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(opens(ring, text.substr(0, size))) << size;
        EXPECT_FALSE(opens(ring, text.substr(0, size) + "\n")) << size;
        EXPECT_FALSE(opens(ring, text.substr(text.size() - size))) << size;
    }
    for (std::size_t place = 0; place <= text.size(); ++place)
        for (const char byte : {'A', '.', '=', ' ', '\n', '\0', '\xff'}) {
            std::string longer = text;
            longer.insert(place, 1, byte);
            EXPECT_EQ(place == text.size() && byte == '\n', opens(ring, longer))
                << int{byte} << " at " << place;
        }
}

TEST(JweTest, TheTextOfAnotherSecretIsRefused) {
    const Keyring ring = golden::keyring();
    const std::string text = seal(ring, pattern(28));
    for (std::size_t bit = 0; bit < 8 * Uuid::kSize; ++bit) {
        std::array<std::uint8_t, Uuid::kSize> bytes;
        std::copy_n(golden::uuid().bytes().begin(), bytes.size(), bytes.begin());
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        const Uuid other(bytes);
        const auto raised = raisedBy([&] { (void)openJwe(ring, other, bytesOf(text)); });
        ASSERT_TRUE(raised) << bit;
        EXPECT_EQ(ErrorCode::valueUnreadable, raised->code);
        EXPECT_NE(std::string::npos, raised->text.find(golden::uuid().toString()));
    }
}

// The header of one, the rest of another: neither the key id nor the uuid says that they do not
// belong together.
TEST(JweTest, PartsOfTwoTextsDoNotMix) {
    const Keyring ring = golden::keyring();
    const auto parts = [](const std::string &text) {
        std::vector<std::string> found{""};
        for (const char c : text) {
            if (c == '.')
                found.emplace_back();
            else
                found.back() += c;
        }
        return found;
    };
    const auto one = parts(seal(ring, pattern(28)));
    const auto two = parts(seal(ring, pattern(29)));
    const auto foreign =
        parts(sealJwe(*ring.current(),
                      *Uuid::parseCanonical("6b2f8a52-95b1-4f2c-9d61-2f6f0a3c1d11"), pattern(28)));
    ASSERT_EQ(5U, one.size());
    for (const auto &other : {two, foreign})
        for (unsigned mask = 1; mask < 31; ++mask) {
            std::string mixed;
            for (std::size_t i = 0; i < 5; ++i)
                mixed += (i > 0 ? "." : "") + ((mask >> i & 1) != 0 ? one[i] : other[i]);
            const std::string whole = one[0] + ".." + one[2] + "." + one[3] + "." + one[4];
            const std::string wholeOther =
                other[0] + ".." + other[2] + "." + other[3] + "." + other[4];
            if (mixed != whole && mixed != wholeOther) {
                EXPECT_FALSE(opens(ring, mixed)) << mixed;
            }
        }
}

TEST(JweTest, AWrongKeyOpensNothing) {
    for (std::uint8_t first = 1; first < 100; ++first) {
        const Keyring ring = golden::keyring(first);
        const auto raised =
            raisedBy([&] { (void)openJwe(ring, golden::uuid(), golden::read("sealed.jwe")); });
        ASSERT_TRUE(raised);
        EXPECT_EQ(ErrorCode::invalidEncryptionKey, raised->code);
    }
}

/// Bytes that nobody sealed, in the form of what was: random nonce, ciphertext and tag.
TEST(JweTest, OfManyRandomTextsNoneIsOpened) {
    const Keyring ring = golden::keyring();
    const std::string text = seal(ring, pattern(48));
    const std::size_t behindHeader = text.find("..") + 2;
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int reachedTheCipher = 0;
    for (int i = 0; i < 4096; ++i) {
        std::string random = text;
        Bytes bytes(random.size());
        fillRandom(bytes);
        for (std::size_t at = behindHeader; at < random.size(); ++at)
            if (random[at] != '.')
                random[at] = kAlphabet[bytes[at] % 64];
        random.back() = 'A'; // or most would not be canonical
        const auto raised = raisedBy([&] { (void)openJwe(ring, golden::uuid(), bytesOf(random)); });
        ASSERT_TRUE(raised) << random;
        reachedTheCipher += raised->text.starts_with("was altered") ? 1 : 0;
        EXPECT_FALSE(opens(ring, {reinterpret_cast<const char *>(bytes.data()), bytes.size()}));
    }
    EXPECT_GT(reachedTheCipher, 3000);
}

struct Damage {
    std::string name;
    std::string message; ///< a part of it
};

const Damage kDamages[] = {
    {"alg-of-another-kind", R"(is not sealed with "alg":"dir")"},
    {"another-key-of-this-name", "was altered"},
    {"base64-of-a-value", "five parts"},
    {"byte-order-mark", "protected header is too long or not base64url"},
    {"carriage-return", "tag is not base64url"},
    {"ciphertext-altered", "was altered"},
    {"ciphertext-empty", "was altered"},
    {"ciphertext-not-base64url", "ciphertext is not base64url"},
    {"ciphertext-not-canonical", "ciphertext is not base64url"},
    {"ciphertext-padded", "ciphertext is not base64url"},
    {"ciphertext-with-high-byte", "ciphertext is not base64url"},
    {"ciphertext-with-newline", "ciphertext is not base64url"},
    {"ciphertext-with-nul", "ciphertext is not base64url"},
    {"crit", "uses the JWE header 'crit'"},
    {"empty", "five parts"},
    {"enc-of-another-kind", R"(is not sealed with "enc":"A256GCM")"},
    {"encrypted-key", "has an encrypted key"},
    {"four-parts", "five parts"},
    {"header-altered", "was altered"},
    {"header-array", "not a JSON object of plain strings"},
    {"header-control-character", "not a JSON object of plain strings"},
    {"header-empty", "has no 'alg'"},
    {"header-escape", "not a JSON object of plain strings"},
    {"header-foreign-letter", "not a JSON object of plain strings"},
    {"header-not-base64url", "protected header is too long or not base64url"},
    {"header-not-json", "not a JSON object of plain strings"},
    {"header-number", "not a JSON object of plain strings"},
    {"header-padded", "protected header is too long or not base64url"},
    {"header-text-behind", "not a JSON object of plain strings"},
    {"header-too-long", "protected header is too long or not base64url"},
    {"header-trailing-comma", "not a JSON object of plain strings"},
    {"header-unclosed", "not a JSON object of plain strings"},
    {"iv-long", "initialization vector is not base64url of 12 bytes"},
    {"iv-not-base64url", "initialization vector is not base64url of 12 bytes"},
    {"iv-short", "initialization vector is not base64url of 12 bytes"},
    {"json-serialization", "five parts"},
    {"kid-empty", "key id is empty or too long"},
    {"kid-too-long", "key id is empty or too long"},
    {"leading-blank", "protected header is too long or not base64url"},
    {"member-twice", "has 'alg' twice"},
    {"newline-alone", "five parts"},
    {"no-alg", "has no 'alg'"},
    {"no-enc", "has no 'enc'"},
    {"no-kid", "has no 'kid'"},
    {"no-uuid", "has no 'org.keyhold.uuid'"},
    {"six-parts", "five parts"},
    {"tag-altered", "was altered"},
    {"tag-empty", "tag is not base64url of 16 bytes"},
    {"tag-not-canonical", "tag is not base64url of 16 bytes"},
    {"tag-short", "tag is not base64url of 16 bytes"},
    {"two-newlines", "tag is not base64url of 16 bytes"},
    {"uuid-not-canonical", "is not a canonical uuid"},
    {"uuid-of-another", "was sealed for secret '6b2f8a52-95b1-4f2c-9d61-2f6f0a3c1d11'"},
    {"zeros", "five parts"},
    {"zip", "uses the JWE header 'zip'"},
};

TEST(JweTest, EveryKindOfDamageIsRefusedAndNamed) {
    const Keyring ring = golden::keyring();
    std::vector<std::string> names;
    for (const auto &[name, message] : kDamages) {
        names.push_back(name + ".jwe");
        const Bytes text = golden::read("damaged/" + names.back());
        const auto raised = raisedBy([&] { (void)openJwe(ring, golden::uuid(), text); });
        ASSERT_TRUE(raised) << name;
        EXPECT_EQ(ErrorCode::valueUnreadable, raised->code) << name;
        EXPECT_NE(std::string::npos, raised->text.find(message)) << name << ": " << raised->text;
    }
    EXPECT_EQ(golden::namesIn("damaged"), names) << "a file that no line of this test is about";
}

TEST(JweTest, SizesHaveLimits) {
    const Keyring ring = golden::keyring();
    const auto raised = raisedBy(
        [&] { (void)openJwe(ring, golden::uuid(), bytesOf(std::string(kMaxJweSize + 1, 'A'))); });
    ASSERT_TRUE(raised);
    EXPECT_EQ(ErrorCode::valueUnreadable, raised->code);
    EXPECT_NE(std::string::npos, raised->text.find("is larger than"));
    const auto tooLarge = raisedBy([&] {
        // Refused by its size; nothing is read.
        (void)seal(ring, {golden::uuid().bytes().data(), kMaxJweValueSize + 1});
    });
    ASSERT_TRUE(tooLarge);
    EXPECT_EQ(ErrorCode::internal, tooLarge->code);
}

TEST(JweTest, ErrorTextsDoNotCarryTheValue) {
    const Keyring ring = golden::keyring();
    std::string text = seal(ring, bytesOf("hunter2 hunter2"));
    text.back() = text.back() == 'A' ? 'Q' : 'A';
    const auto raised = raisedBy([&] { (void)openJwe(ring, golden::uuid(), bytesOf(text)); });
    ASSERT_TRUE(raised);
    EXPECT_EQ(std::string::npos, raised->text.find("hunter2"));
}

} // namespace
} // namespace keyhold
