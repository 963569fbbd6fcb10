// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"
#include "seal/scratch.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace keyhold {

/// The permission to hand the value of one secret to a caller. One class makes them, after it has
/// decided that the caller may have it. Neither copied nor moved: it does not outlive the call.
class ReleaseToken {
  public:
    ReleaseToken(const ReleaseToken &) = delete;
    ReleaseToken &operator=(const ReleaseToken &) = delete;

    [[nodiscard]] const Uuid &uuid() const noexcept { return uuid_; }

  private:
    friend class ReleaseGate; // src/secret_driver/calls.cpp
    explicit ReleaseToken(const Uuid &uuid) : uuid_(uuid) {}

    Uuid uuid_;
};

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

    /// Decrypts into memory of a caller, `out`, which must be size() bytes. The only way there.
    /// Raises internal, with `out` wiped, when it has another size, when authentication fails
    /// (another uuid than the token's, altered memory), and in a forked process.
    void release(const ReleaseToken &token, std::span<std::uint8_t> out) const;

    /// Decrypts for this driver's own use (to store, to re-encrypt, to compare) into memory that
    /// does not leave it. Raises as release().
    void openInside(const Uuid &uuid, Scratch &plain) const;

    /// Compares with a plain value in constant time for equal sizes. Raises what openInside() and
    /// Scratch raise.
    [[nodiscard]] bool equals(const Uuid &uuid, std::span<const std::uint8_t> plain) const;

  private:
    ShieldedValue() = default;
    void open(const Uuid &uuid, std::span<std::uint8_t> plain) const;

    std::unique_ptr<std::uint8_t[]> box_; ///< ciphertext and tag
    std::size_t size_ = 0;
    std::uint64_t nonce_ = 0;
};

} // namespace keyhold
