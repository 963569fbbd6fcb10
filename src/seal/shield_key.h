// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"
#include "seal/key_memory.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace keyhold {

/// What shields resident values. Both take a key of 32 bytes and a nonce of 12, and add a tag
/// of 16.
enum class ShieldCipher {
    aes256Gcm,        ///< NIST SP 800-38D; needs AES instructions of the processor
    chaCha20Poly1305, ///< RFC 8439
};

/// A key of ShieldedValue and the cipher it is for; internal to this room. The key, or what the
/// cipher computed from it, rests in key memory: not to be used unless key_memory::isOurs().
/// Neither it nor plain bytes nor key stream stay on the heap or the stack. Constant after it was
/// made: safe for concurrent use.
class ShieldKey {
  public:
    static constexpr std::size_t kKeySize = 32;
    static constexpr std::size_t kTagSize = 16;
    static constexpr std::size_t kMaxPlainSize = 16 * ((std::size_t{1} << 32) - 2); ///< of GCM

    [[nodiscard]] static bool isAvailable(ShieldCipher cipher);

    /// A random key. Raises noMemory.
    explicit ShieldKey(ShieldCipher cipher);
    /// A given key, which stays the caller's. Raises noMemory.
    ShieldKey(ShieldCipher cipher, std::span<const std::uint8_t, kKeySize> key);

    /// The one key of this process, random, for the best cipher available. Raises noMemory.
    [[nodiscard]] static const ShieldKey &ofProcess();

    /// Writes plain.size() + kTagSize bytes, ciphertext and tag, to `box`. At most kMaxPlainSize;
    /// no nonce may be used twice with one key.
    void seal(const Uuid &uuid, std::uint64_t nonce, std::span<const std::uint8_t> plain,
              std::uint8_t *box) const noexcept;

    /// Reads plain.size() + kTagSize bytes of `box`; false, and `plain` zero, if they were not
    /// sealed with this key, uuid and nonce.
    [[nodiscard]] bool open(const Uuid &uuid, std::uint64_t nonce, const std::uint8_t *box,
                            std::span<std::uint8_t> plain) const noexcept;

  private:
    union Block;
    [[nodiscard]] const Block &block() const noexcept;

    ShieldCipher cipher_;
    KeyBlock memory_; ///< one Block
};

} // namespace keyhold
