// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstdint>

namespace keyhold {

/// Whether something is still to be made durable. It is pending until a sync that began after it
/// was noted has succeeded: what is noted while a sync runs may not be part of it. Safe for
/// concurrent use.
class PendingSync {
  public:
    /// After the change that is to be synced.
    void note() noexcept { ++noted_; }
    [[nodiscard]] bool isPending() const noexcept { return noted_ > synced_; }

    /// All that has been noted until now; to be taken before a sync.
    using Mark = std::uint64_t;
    [[nodiscard]] Mark mark() const noexcept { return noted_; }
    /// A sync has succeeded that began after `mark` was taken.
    void markSynced(Mark mark) noexcept {
        Mark known = synced_;
        while (known < mark && !synced_.compare_exchange_weak(known, mark)) {
        }
    }

  private:
    std::atomic<Mark> noted_{0};
    std::atomic<Mark> synced_{0};
};

} // namespace keyhold
