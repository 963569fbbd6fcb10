// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/mutex.h"

#include <utility>

namespace keyhold {

/// A value that is read and exchanged as a whole. Safe for concurrent use.
template <typename T>
class Current {
  public:
    Current() = default;
    explicit Current(T value) : value_(std::move(value)) {}

    [[nodiscard]] T get() const {
        const MutexLock lock(mutex_);
        return value_;
    }
    void set(T next) { static_cast<void>(exchange(std::move(next))); }
    /// Answers the value before.
    [[nodiscard]] T exchange(T next) {
        const MutexLock lock(mutex_);
        std::swap(value_, next);
        return next;
    }

  private:
    mutable Mutex mutex_;
    T value_ GUARDED_BY(mutex_);
};

} // namespace keyhold
