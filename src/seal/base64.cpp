// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/base64.h"

#include "conf/error.h"
#include "seal/guarded_memory.h"

#include <array>

#include <sodium.h>

namespace keyhold {
namespace {

void encode(std::span<const std::uint8_t> bytes, std::span<char> text, std::size_t textSize,
            int variant) {
    if (text.size() <= textSize)
        throw Error(ErrorCode::internal, "no room for a base64 text");
    // It fills with zeros what room it is told of.
    sodium_bin2base64(text.data(), textSize + 1, bytes.data(), bytes.size(), variant);
}

/// True for bytes that sodium_base642bin 1.0.18 does not refuse though it should: it finds NUL at
/// the end of its list of characters to skip, and takes each byte above 127 for a slash.
bool hasForeignBytes(std::span<const std::uint8_t> text) {
    bool found = false;
    for (std::uint8_t byte : text)
        found |= byte == 0 || byte > 127;
    return found;
}

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

void encodePlain(std::span<const std::uint8_t> value, std::span<std::uint8_t> text) {
    encode(value, {reinterpret_cast<char *>(text.data()), text.size()}, plainTextSize(value.size()),
           sodium_base64_VARIANT_ORIGINAL);
}

std::optional<std::size_t> decodePlain(std::span<const std::uint8_t> text,
                                       std::span<std::uint8_t> value) {
    if (value.size() < text.size() / 4 * 3 + 3)
        throw Error(ErrorCode::internal, "no room for the value of a base64 text");
    std::size_t size = 0;
    // Without a place to store where the text ended, libsodium refuses what is left over.
    if (!hasForeignBytes(text) &&
        sodium_base642bin(value.data(), value.size(), reinterpret_cast<const char *>(text.data()),
                          text.size(), " \t\r\n", &size, nullptr,
                          sodium_base64_VARIANT_ORIGINAL) == 0)
        return size;
    wipe(value);
    return std::nullopt;
}

void encodeBase64Url(std::span<const std::uint8_t> bytes, std::span<char> text) {
    encode(bytes, text, base64UrlSize(bytes.size()), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
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
