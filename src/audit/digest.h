// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace keyhold::audit {

/// 32 bytes: a SHA-256 (FIPS 180-4), or an HMAC of it (RFC 2104).
using Digest = std::array<std::uint8_t, 32>;

/// The digest of `first` and, behind it, `second`. Raises internal if the library refuses.
[[nodiscard]] Digest sha256(std::span<const std::uint8_t> first,
                            std::span<const std::uint8_t> second = {});
[[nodiscard]] Digest hmacSha256(std::span<const std::uint8_t> key,
                                std::span<const std::uint8_t> message);

/// 64 hexadecimal digits in lower case.
[[nodiscard]] std::string hexOf(const Digest &digest);
/// Empty unless the text is what hexOf() makes.
[[nodiscard]] std::optional<Digest> digestOf(std::string_view hex);

[[nodiscard]] inline std::span<const std::uint8_t> bytesOf(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

} // namespace keyhold::audit
