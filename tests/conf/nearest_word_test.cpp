// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/nearest_word.h"

#include <array>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

constexpr std::array<std::string_view, 4> kWords = {"encrypt_data", "secrets_encryption_key",
                                                    "seal", "unseal"};

std::string_view nearest(std::string_view word) {
    return nearestWord(word, kWords);
}

TEST(NearestWordTest, TwoChangesAreNear) {
    EXPECT_EQ("encrypt_data", nearest("encrypt_date"));
    EXPECT_EQ("encrypt_data", nearest("encryptdata"));
    EXPECT_EQ("encrypt_data", nearest("ecnrypt_data"));
    EXPECT_EQ("encrypt_data", nearest("Encrypt_Data"));
    EXPECT_EQ("secrets_encryption_key", nearest("secret_encryption_key"));
    EXPECT_EQ("secrets_encryption_key", nearest("secrets_encryption_keys"));
    EXPECT_EQ("", nearest("encryption"));
    EXPECT_EQ("", nearest("ENCRYPT_data"));
}

TEST(NearestWordTest, TheNearestOfSeveral) {
    EXPECT_EQ("unseal", nearest("unsel"));
    EXPECT_EQ("seal", nearest("sela"));
}

TEST(NearestWordTest, OfAShortWordLessMayBeWrong) {
    EXPECT_EQ("", nearest("xyal"));
    EXPECT_EQ("", nearest("a"));
    EXPECT_EQ("", nearest(""));
    EXPECT_EQ("", nearestWord("seal", {}));
}

} // namespace
} // namespace keyhold
