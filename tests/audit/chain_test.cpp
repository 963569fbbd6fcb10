// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace keyhold::audit {
namespace {

using testing::EndsWith;

SealingKey keyOf(std::uint64_t sequence, std::uint8_t fill) {
    Digest bytes;
    bytes.fill(fill);
    return {sequence, bytes};
}

std::vector<std::string> linesOf(const std::string &text) {
    std::vector<std::string> lines;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = text.find('\n', from);
        lines.push_back(text.substr(from, end - from));
        from = end + 1;
    }
    return lines;
}

TEST(AuditDigest, IsSha256OfFips180) {
    EXPECT_EQ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
              hexOf(sha256(bytesOf("abc"))));
    EXPECT_EQ(hexOf(sha256(bytesOf("abc"))), hexOf(sha256(bytesOf("a"), bytesOf("bc"))));
}

TEST(AuditDigest, IsHmacOfRfc4231) {
    EXPECT_EQ("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
              hexOf(hmacSha256(bytesOf("Jefe"), bytesOf("what do ya want for nothing?"))));
}

TEST(AuditDigest, ReadsWhatItWritesAndNothingElse) {
    const Digest digest = sha256(bytesOf("x"));
    const std::string hex = hexOf(digest);
    EXPECT_EQ(digest, digestOf(hex));
    EXPECT_FALSE(digestOf(hex.substr(1)));
    EXPECT_FALSE(digestOf("A" + hex.substr(1)));
    EXPECT_FALSE(digestOf("g" + hex.substr(1)));
}

TEST(AuditChain, ALineIsTheRecordItsChainAndItsSeal) {
    std::string text;
    Head head;
    SealingKey key = keyOf(1, 7);
    appendLine(text, R"({"a":1)", head, &key);
    EXPECT_EQ(1U, head.sequence);
    EXPECT_EQ(sha256(Digest{}, bytesOf(R"({"a":1)")), head.chain);
    const auto lines = linesOf(text);
    const auto line = parseLine(lines.at(0));
    ASSERT_TRUE(line);
    EXPECT_EQ(R"({"a":1)", line->record);
    EXPECT_EQ(head.chain, line->chain);
    EXPECT_EQ(key.seal(head.chain), line->seal);
}

TEST(AuditChain, ALineWithoutASealIsReadAsOne) {
    std::string text;
    Head head;
    appendLine(text, R"({"a":1)", head, nullptr);
    EXPECT_THAT(text, EndsWith("\"}\n"));
    const auto lines = linesOf(text);
    const auto line = parseLine(lines.at(0));
    ASSERT_TRUE(line);
    EXPECT_FALSE(line->seal);
}

TEST(AuditChain, OtherTextsAreNoLines) {
    std::string text;
    Head head;
    appendLine(text, R"({"a":1)", head, nullptr);
    text.pop_back();
    EXPECT_TRUE(parseLine(text));
    for (const std::string &other : {std::string(), std::string("{}"), text.substr(1), text + " ",
                                     text.substr(0, 40), std::string(R"({"a":1,"chain":"00"})")})
        EXPECT_FALSE(parseLine(other)) << other;
}

TEST(AuditChain, EachRecordChangesAllThatFollow) {
    std::string first;
    std::string second;
    Head one;
    Head two;
    appendLine(first, R"({"a":1)", one, nullptr);
    appendLine(second, R"({"a":2)", two, nullptr);
    appendLine(first, R"({"b":1)", one, nullptr);
    appendLine(second, R"({"b":1)", two, nullptr);
    EXPECT_NE(one.chain, two.chain);
}

TEST(AuditSealingKey, GoesOnBySha256) {
    SealingKey key = keyOf(3, 7);
    const Digest expected = sha256(sha256(key.bytes()));
    key.advanceTo(5);
    EXPECT_EQ(5U, key.sequence());
    EXPECT_TRUE(std::ranges::equal(expected, key.bytes()));
}

TEST(AuditSealingKey, GoesBackToItsLastCommitAndNoFurther) {
    SealingKey key = keyOf(1, 7);
    key.advanceTo(4);
    key.commit();
    const std::vector<std::uint8_t> committed(key.bytes().begin(), key.bytes().end());
    key.advanceTo(9);
    key.rollBack();
    EXPECT_EQ(4U, key.sequence());
    EXPECT_TRUE(std::ranges::equal(committed, key.bytes()));
}

TEST(AuditSealingKey, SealsTheSequenceAsWell) {
    // Computed by Python: hmac.new(b"\x07"*32, (1).to_bytes(8, "big") + bytes(32), "sha256")
    const SealingKey key = keyOf(1, 7);
    EXPECT_EQ("e5329e533a8ce42e3f86aa4e947ac2a838243109fc2e2f88986799447ebf9370",
              hexOf(key.seal(Digest{})));
    EXPECT_NE(key.seal(Digest{}), keyOf(2, 7).seal(Digest{}));
}

} // namespace
} // namespace keyhold::audit
