// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstdint>

#include <sys/types.h>

namespace keyhold {

/// Distinguishes a process from the forked copies of it, without a system call: a page that the
/// kernel zeroes in a child. Where the kernel cannot, process ids are compared.
class ProcessMark {
  public:
    /// Marks the calling process; later calls change nothing. One thread at a time. Raises
    /// noMemory.
    void make();

    /// False in a process forked from the one that called make(). Safe beside make().
    [[nodiscard]] bool isOurs() const noexcept;

  private:
    std::atomic<const volatile std::uint8_t *> page_{nullptr};
    pid_t owner_ = 0; // if the page says nothing
};

} // namespace keyhold
