// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/base64_url.h"

#include "conf/error.h"
#include "seal/sodium.h"

#include <array>

#include <sodium.h>

namespace keyhold {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

constexpr std::uint8_t kNoDigit = 0x80;

constexpr std::array<std::uint8_t, 256> makeDigits() {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array<std::uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    for (std::size_t value = 0; value < kAlphabet.size(); ++value)
        digits[static_cast<unsigned char>(kAlphabet[value])] = static_cast<std::uint8_t>(value);
    return digits;
}

constexpr std::array<std::uint8_t, 256> kDigits = makeDigits();

/// Up to four characters as a number of 24 bits, the first in front. `bad` gets kNoDigit for one
/// that is no digit.
std::uint32_t groupOf(std::string_view characters, std::uint32_t &bad) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < characters.size(); ++i) {
        const std::uint32_t digit = kDigits[static_cast<unsigned char>(characters[i])];
        bad |= digit;
        group |= (digit & 0x3f) << (18 - 6 * i);
    }
    return group;
}

} // namespace

void encodeBase64Url(std::span<const std::uint8_t> bytes, std::span<char> text) {
    requireSodium();
    if (text.size() <= base64UrlSize(bytes.size()))
        throw Error(ErrorCode::internal, "no room for a base64 text");
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
}

std::optional<std::size_t> decodeBase64Url(std::string_view text, std::span<std::uint8_t> bytes) {
    const std::size_t rest = text.size() % 4;
    const std::size_t size = text.size() / 4 * 3 + (rest == 0 ? 0 : rest - 1);
    if (rest == 1 || bytes.size() < size)
        return std::nullopt;
    std::uint32_t bad = 0;
    std::uint8_t *out = bytes.data();
    for (; text.size() >= 4; text.remove_prefix(4)) {
        const std::uint32_t group = groupOf(text.substr(0, 4), bad);
        *out++ = static_cast<std::uint8_t>(group >> 16);
        *out++ = static_cast<std::uint8_t>(group >> 8);
        *out++ = static_cast<std::uint8_t>(group);
    }
    std::uint32_t group = groupOf(text, bad) << 8;
    for (std::size_t i = 1; i < rest; ++i, group <<= 8)
        *out++ = static_cast<std::uint8_t>(group >> 24);
    // What is left over of the last character must be zero, or there were several texts.
    return (bad & kNoDigit) == 0 && group == 0 ? std::optional(size) : std::nullopt;
}

} // namespace keyhold
