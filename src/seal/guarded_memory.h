// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace keyhold {

/// A block for keys and for plain values in passing: between guard pages, locked in memory where
/// the limits allow it, left out of core dumps, zero in a forked child, wiped when released.
/// Move-only; one thread at a time. Allocating one takes about ten system calls, so owners keep
/// theirs.
class GuardedMemory {
  public:
    GuardedMemory() = default;
    /// `size` bytes, zeroed, aligned to 16; the page after the last multiple of 16 faults. Raises
    /// noMemory. A refused mlock is no error: memoryIsLocked() reports it.
    explicit GuardedMemory(std::size_t size);
    GuardedMemory(GuardedMemory &&other) noexcept;
    GuardedMemory &operator=(GuardedMemory other) noexcept;
    ~GuardedMemory();

    [[nodiscard]] std::span<std::uint8_t> bytes() noexcept { return bytes_; }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

    /// False once any block of this process could not be locked (RLIMIT_MEMLOCK).
    [[nodiscard]] static bool memoryIsLocked() noexcept;

  private:
    std::span<std::uint8_t> bytes_;
};

/// Overwrites bytes with zeros in a way the compiler keeps.
void wipe(std::span<std::uint8_t> bytes) noexcept;

} // namespace keyhold
