// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace keyhold {

/// A value while it rests in memory: encrypted and authenticated under a key that only this process
/// has and that lives in guarded memory, bound to the uuid of its secret. Move-only; constant after
/// it was made, so any number of threads may open it. The size of the value is not hidden.
class ShieldedValue {
  public:
    /// Encrypts `plain`, which stays the caller's. Raises noMemory; raises internal in a process
    /// forked from the one that made the key, where the key is gone.
    [[nodiscard]] static ShieldedValue seal(const Uuid &uuid, std::span<const std::uint8_t> plain);

    ShieldedValue(ShieldedValue &&) noexcept = default;
    ShieldedValue &operator=(ShieldedValue &&) noexcept = default;

    /// Size of the plain value in bytes.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Decrypts into `plain`, which must be size() bytes: guarded memory, or the block that a
    /// caller of libvirt will own. Raises internal, with `plain` wiped, when `plain` has another
    /// size, when authentication fails (another uuid, altered memory), and in a forked process.
    void open(const Uuid &uuid, std::span<std::uint8_t> plain) const;

    /// Compares with a plain value in constant time for equal sizes. Raises what open() and Scratch
    /// raise.
    [[nodiscard]] bool equals(const Uuid &uuid, std::span<const std::uint8_t> plain) const;

  private:
    ShieldedValue() = default;

    std::unique_ptr<std::uint8_t[]> box_; ///< ciphertext and tag
    std::size_t size_ = 0;
    std::uint64_t nonce_ = 0;
};

} // namespace keyhold
