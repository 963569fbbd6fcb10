// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/plain.h"

#include "conf/error.h"
#include "seal/guarded_memory.h"

#include <algorithm>
#include <array>

#include <sodium.h>

namespace keyhold {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
constexpr char kWhiteSpace[] = " \t\r\n";

/// Encodes with room for the NUL that libsodium appends.
void encodeWithNul(std::span<const std::uint8_t> value, std::span<std::uint8_t> text) {
    sodium_bin2base64(reinterpret_cast<char *>(text.data()), text.size(), value.data(),
                      value.size(), kVariant);
}

bool isWhiteSpace(std::uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/// True for bytes that sodium_base642bin 1.0.18 does not refuse though it should: it finds NUL at
/// the end of its list of characters to skip, and takes each byte above 127 for a slash.
bool hasForeignBytes(std::span<const std::uint8_t> text) {
    bool found = false;
    for (std::uint8_t byte : text)
        found |= byte == 0 || byte > 127;
    return found;
}

} // namespace

std::size_t plainTextSize(std::size_t valueSize) noexcept {
    return valueSize / 3 * 4 + (valueSize % 3 != 0 ? 4 : 0);
}

void encodePlain(std::span<const std::uint8_t> value, std::span<std::uint8_t> text) {
    std::size_t textSize = plainTextSize(value.size());
    if (text.size() < textSize)
        throw Error(ErrorCode::internal, "no room for the base64 text of a value");
    if (value.empty())
        return;
    // The NUL after the first part falls where the last group of four goes; the NUL after that one
    // must not be written to `text`.
    std::size_t firstPart = (value.size() - 1) / 3 * 3;
    encodeWithNul(value.first(firstPart), text.first(textSize - 3));
    std::array<std::uint8_t, 5> lastGroup;
    encodeWithNul(value.subspan(firstPart), lastGroup);
    std::copy_n(lastGroup.begin(), 4, text.begin() + static_cast<std::ptrdiff_t>(textSize - 4));
    wipe(lastGroup);
}

PlainDecoded decodePlain(std::span<const std::uint8_t> text, std::span<std::uint8_t> value) {
    if (value.size() < text.size() / 4 * 3 + 3)
        throw Error(ErrorCode::internal, "no room for the value of a base64 text");
    std::size_t size = 0;
    if (std::all_of(text.begin(), text.end(), isWhiteSpace)) {
        wipe(value);
        return {PlainForm::blank, 0};
    }
    // Without a place to store where the text ended, libsodium refuses what is left over.
    if (hasForeignBytes(text) ||
        sodium_base642bin(value.data(), value.size(), reinterpret_cast<const char *>(text.data()),
                          text.size(), kWhiteSpace, &size, nullptr, kVariant) != 0) {
        wipe(value);
        return {PlainForm::damaged, 0};
    }
    return {PlainForm::value, size};
}

} // namespace keyhold
