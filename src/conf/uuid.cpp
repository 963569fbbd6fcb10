// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/uuid.h"

#include "conf/sodium.h"

#include <glib.h>

#include <algorithm>
#include <iterator>

namespace keyhold {

namespace {

/// Whether the canonical form has a dash before this byte.
constexpr bool isGroupStart(std::size_t byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

constexpr std::uint8_t kNoDigit = 0x80;

constexpr std::array<std::uint8_t, 256> makeDigits() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<std::uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    for (std::size_t value = 0; value < kDigits.size(); ++value)
        digits[static_cast<unsigned char>(kDigits[value])] = static_cast<std::uint8_t>(value);
    return digits;
}

/// Values of hex digits in lower case; kNoDigit for all other characters.
constexpr std::array<std::uint8_t, 256> kDigitValues = makeDigits();

} // namespace

Uuid::Uuid(std::span<const std::uint8_t, kSize> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    const auto isSpace = [](char c) { return g_ascii_isspace(c) != 0; };
    const auto begin = std::find_if_not(text.begin(), text.end(), isSpace);
    const auto end = std::find_if_not(text.rbegin(), std::reverse_iterator(begin), isSpace).base();

    Uuid uuid;
    std::size_t filled = 0;
    for (auto at = begin; at != end;) {
        if (filled == kSize)
            return std::nullopt;
        if (*at == '-' || *at == ' ') {
            ++at;
            continue;
        }
        const int high = g_ascii_xdigit_value(*at++);
        const int low = at == end ? -1 : g_ascii_xdigit_value(*at++);
        if (high < 0 || low < 0)
            return std::nullopt;
        uuid.bytes_[filled++] = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (filled != kSize)
        return std::nullopt;
    return uuid;
}

std::optional<Uuid> Uuid::parseCanonical(std::string_view text) {
    if (text.size() != kTextLength)
        return std::nullopt;
    Uuid uuid;
    unsigned bad = 0;
    const auto *at = reinterpret_cast<const unsigned char *>(text.data());
    for (std::size_t byte = 0; byte < kSize; ++byte) {
        if (isGroupStart(byte))
            bad |= *at++ == '-' ? 0U : kNoDigit;
        const unsigned high = kDigitValues[*at++];
        const unsigned low = kDigitValues[*at++];
        bad |= high | low;
        uuid.bytes_[byte] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return (bad & kNoDigit) == 0 ? std::optional(uuid) : std::nullopt;
}

Uuid Uuid::generate() {
    Uuid uuid;
    fillRandom(uuid.bytes_);
    uuid.bytes_[6] = static_cast<std::uint8_t>((uuid.bytes_[6] & 0x0f) | 0x40);
    uuid.bytes_[8] = static_cast<std::uint8_t>((uuid.bytes_[8] & 0x3f) | 0x80);
    return uuid;
}

std::string Uuid::toString() const {
    std::string text(kTextLength, '\0');
    writeTo(std::span<char, kTextLength>(text));
    return text;
}

void Uuid::writeTo(std::span<char, kTextLength> text) const noexcept {
    constexpr char kDigits[] = "0123456789abcdef";
    char *at = text.data();
    for (std::size_t byte = 0; byte < kSize; ++byte) {
        if (isGroupStart(byte))
            *at++ = '-';
        *at++ = kDigits[bytes_[byte] >> 4];
        *at++ = kDigits[bytes_[byte] & 0x0f];
    }
}

std::size_t UuidHash::operator()(const Uuid &uuid) const {
    return keyedHash(uuid.bytes());
}

} // namespace keyhold
