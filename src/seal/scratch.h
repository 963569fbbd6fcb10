// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "seal/guarded_memory.h"

namespace keyhold {

/// A stretch of guarded memory lent for the time of one call, wiped when it is given back.
/// Stretches up to kPooledSize come from two process-wide pools of guarded blocks, small and large
/// ones, that grow with the number of calls at the same time; kIdleBlocks of each are kept for the
/// next calls. Larger ones are allocated and released. Lending and giving back are safe on any
/// thread.
class Scratch {
  public:
    /// Bytes. Fits the file of a passphrase or a key. Locking and clearing the memory of a large
    /// block is what takes the time when a store of few secrets is opened.
    static constexpr std::size_t kSmallSize = std::size_t{4} * 1024;
    /// Bytes. Fits the base64 text of the largest value libvirt's RPC carries (65536 bytes) and
    /// more.
    static constexpr std::size_t kPooledSize = std::size_t{128} * 1024;
    static constexpr std::size_t kIdleBlocks = 16;

    /// Raises noMemory.
    explicit Scratch(std::size_t size);
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;
    ~Scratch();

    /// The `size` bytes asked for; content is zero at first.
    [[nodiscard]] std::span<std::uint8_t> bytes() noexcept { return memory_.bytes().first(size_); }

  private:
    GuardedMemory memory_;
    std::size_t size_;
};

} // namespace keyhold
