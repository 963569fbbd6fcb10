// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <utility>

namespace keyhold {

/// The moment by which something that others decide (a device, a network, a file on one) is to be
/// done. Several calls may share one, and have the time together. By a clock that nobody sets.
class Deadline {
  public:
    using Clock = std::chrono::steady_clock;
    using Now = std::function<Clock::time_point()>;

    explicit Deadline(Clock::duration patience, Now now = Clock::now)
        : now_(std::move(now)),
          end_(now_() + patience) {}

    [[nodiscard]] bool hasPassed() const { return now_() >= end_; }

  private:
    Now now_;
    Clock::time_point end_;
};

} // namespace keyhold
