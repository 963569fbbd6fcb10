// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace keyhold {

/// Base64 for URLs without padding (RFC 4648 section 5, RFC 7515 section 2), canonical only: one
/// text for each byte sequence. Encoding is in constant time with respect to the bytes; decoding is
/// not, and is for what is no secret.

/// Characters that `size` bytes take.
[[nodiscard]] constexpr std::size_t base64UrlSize(std::size_t size) noexcept {
    return size / 3 * 4 + (size % 3 == 0 ? 0 : size % 3 + 1);
}

/// Writes base64UrlSize(bytes.size()) characters and a NUL to `text`, which must hold them; raises
/// internal if it does not. The text is as secret as the bytes.
void encodeBase64Url(std::span<const std::uint8_t> bytes, std::span<char> text);

/// The number of bytes written to the front of `bytes`; empty, and `bytes` unspecified, if `text`
/// is not canonical or there is no room.
[[nodiscard]] std::optional<std::size_t> decodeBase64Url(std::string_view text,
                                                         std::span<std::uint8_t> bytes);

} // namespace keyhold
