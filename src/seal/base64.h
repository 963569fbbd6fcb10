// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace keyhold {

// Base64 (RFC 4648), canonical only: one text for each byte sequence. Encoding is in constant time
// with respect to the bytes, and the text is as secret as they are. It ends in a NUL, for which
// there must be room too; internal is raised if there is not.

/// The unencrypted at-rest format, `<uuid>.base64`: section 4, padded, one line, no newline. This
/// many characters for a value of `valueSize` bytes.
[[nodiscard]] constexpr std::size_t plainTextSize(std::size_t valueSize) noexcept {
    return (valueSize + 2) / 3 * 4;
}

/// Writes plainTextSize(value.size()) characters and a NUL to the front of `text`.
void encodePlain(std::span<const std::uint8_t> value, std::span<std::uint8_t> text);

/// The number of bytes written to the front of `value`; 0 if nothing but white space is in `text`;
/// empty, and `value` zero, if that is damaged: foreign characters, missing padding, text after it.
/// Blanks, tabs, carriage returns and line feeds may stand anywhere, as people's editors and tools
/// put them there. `value` must hold text.size() / 4 * 3 + 3 bytes, else internal is raised.
[[nodiscard]] std::optional<std::size_t> decodePlain(std::span<const std::uint8_t> text,
                                                     std::span<std::uint8_t> value);

/// Base64 for URLs without padding (section 5, and RFC 7515 section 2): characters that `size`
/// bytes take.
[[nodiscard]] constexpr std::size_t base64UrlSize(std::size_t size) noexcept {
    return (size * 4 + 2) / 3;
}

/// Writes base64UrlSize(bytes.size()) characters and a NUL to the front of `text`.
void encodeBase64Url(std::span<const std::uint8_t> bytes, std::span<char> text);

/// The number of bytes written to the front of `bytes`; empty, and `bytes` unspecified, if `text`
/// is not canonical or there is no room. Not in constant time: for what is no secret.
[[nodiscard]] std::optional<std::size_t> decodeBase64Url(std::string_view text,
                                                         std::span<std::uint8_t> bytes);

} // namespace keyhold
