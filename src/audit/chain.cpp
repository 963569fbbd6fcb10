// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/chain.h"

#include <algorithm>

namespace keyhold::audit {

namespace {

constexpr std::size_t kHexSize = 2 * sizeof(Digest);
constexpr std::string_view kChain = ",\"chain\":\"";
constexpr std::string_view kSeal = ",\"seal\":\"";

/// Takes `name` and 64 digits and a quote off the end of a text; empty if they are not there.
std::optional<Digest> takeDigest(std::string_view &text, std::string_view name) {
    const std::size_t size = name.size() + kHexSize + 1;
    if (text.size() < size || !text.ends_with('"'))
        return std::nullopt;
    const std::string_view member = text.substr(text.size() - size);
    const auto digest =
        member.starts_with(name) ? digestOf(member.substr(name.size(), kHexSize)) : std::nullopt;
    if (digest)
        text.remove_suffix(size);
    return digest;
}

} // namespace

std::optional<Line> parseLine(std::string_view text) {
    if (!text.starts_with('{') || !text.ends_with('}'))
        return std::nullopt;
    text.remove_suffix(1);
    const auto seal = takeDigest(text, kSeal);
    const auto chain = takeDigest(text, kChain);
    if (!chain)
        return std::nullopt;
    return Line{text, *chain, seal};
}

Digest chainOf(const Digest &before, std::string_view record) {
    return sha256(before, bytesOf(record));
}

SealingKey::SealingKey(std::uint64_t sequence, std::span<const std::uint8_t, sizeof(Digest)> key)
    : sequence_(sequence),
      committedSequence_(sequence),
      keys_(2 * kSize) {
    std::ranges::copy(key, keys_.bytes().begin());
    commit();
}

std::span<const std::uint8_t> SealingKey::bytes() const noexcept {
    return keys_.bytes().first(kSize);
}

void SealingKey::advanceTo(std::uint64_t sequence) {
    for (; sequence_ < sequence; ++sequence_) {
        Digest next = sha256(bytes());
        std::ranges::copy(next, keys_.bytes().begin());
        wipe(next);
    }
}

void SealingKey::commit() {
    std::ranges::copy(bytes(), keys_.bytes().begin() + kSize);
    committedSequence_ = sequence_;
}

void SealingKey::rollBack() {
    std::ranges::copy(keys_.bytes().last(kSize), keys_.bytes().begin());
    sequence_ = committedSequence_;
}

Digest SealingKey::seal(const Digest &chain) const {
    std::array<std::uint8_t, sizeof sequence_ + sizeof(Digest)> message;
    for (std::size_t i = 0; i < sizeof sequence_; ++i)
        message[i] = static_cast<std::uint8_t>(sequence_ >> (8 * (sizeof sequence_ - 1 - i)));
    std::ranges::copy(chain, message.begin() + sizeof sequence_);
    return hmacSha256(bytes(), message);
}

void appendLine(std::string &out, std::string_view record, Head &head, SealingKey *key) {
    Head next{head.sequence + 1, chainOf(head.chain, record)};
    out.append(record).append(kChain).append(hexOf(next.chain)).append("\"");
    if (key != nullptr) {
        key->advanceTo(next.sequence);
        out.append(kSeal).append(hexOf(key->seal(next.chain))).append("\"");
    }
    out.append("}\n");
    head = next;
}

} // namespace keyhold::audit
