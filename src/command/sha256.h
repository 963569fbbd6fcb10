// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include <sodium.h>

namespace keyhold::command {

/// The SHA-256 (FIPS 180-4) of bytes, as sha256sum(1) prints it: 64 hexadecimal digits in lower
/// case. Keeps nothing of the bytes, which may be plain values.
[[nodiscard]] inline std::string sha256Of(std::span<const std::uint8_t> bytes) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
    crypto_hash_sha256(hash.data(), bytes.data(), bytes.size());
    std::string text(2 * hash.size() + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), hash.data(), hash.size());
    text.pop_back();
    return text;
}

} // namespace keyhold::command
