// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// AES-256 and HKDF by GnuTLS; internal to this room. A handle of GnuTLS holds the key and lives
/// for one call; what the call leaves on the stack is wiped. All raise internal if GnuTLS fails.
namespace keyhold::ciphers {

inline constexpr std::size_t kKeySize = 32;
inline constexpr std::size_t kBlockSize = 16;
inline constexpr std::size_t kNonceSize = 12;
inline constexpr std::size_t kTagSize = 16;

using KeyBytes = std::span<const std::uint8_t, kKeySize>;

/// GCM (NIST SP 800-38D). Writes plain.size() + kTagSize bytes to `box`, ciphertext and tag.
void sealGcm(KeyBytes key, std::span<const std::uint8_t, kNonceSize> nonce,
             std::span<const std::uint8_t> authenticated, std::span<const std::uint8_t> plain,
             std::span<std::uint8_t> box);

/// False, and `plain` zero, if `box` was not sealed with this key, nonce and authenticated data.
/// `plain` must be kTagSize smaller than `box`.
[[nodiscard]] bool openGcm(KeyBytes key, std::span<const std::uint8_t, kNonceSize> nonce,
                           std::span<const std::uint8_t> authenticated,
                           std::span<const std::uint8_t> box, std::span<std::uint8_t> plain);

/// CBC, decryption alone, without padding. Both are of one size, a multiple of kBlockSize.
void decryptCbc(KeyBytes key, std::span<const std::uint8_t, kBlockSize> initial,
                std::span<const std::uint8_t> cipherText, std::span<std::uint8_t> plain);

/// HKDF-SHA256 (RFC 5869), extract and expand.
void deriveKey(KeyBytes key, std::span<const std::uint8_t> salt, std::span<const std::uint8_t> info,
               std::span<std::uint8_t, kKeySize> derived);

} // namespace keyhold::ciphers
