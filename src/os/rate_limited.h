// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/mutex.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <stop_token>
#include <thread>

namespace keyhold {

/// Work that is asked for often and done at most once a period, on a thread that lives only while
/// there is some: who asks waits for nothing. The last request is always followed by a run.
class RateLimited {
  public:
    /// `work` raises nothing, and may call request().
    RateLimited(std::chrono::milliseconds period, std::function<void()> work)
        : period_(period),
          work_(std::move(work)) {}
    /// As stop().
    ~RateLimited() { stop(); }
    RateLimited(const RateLimited &) = delete;
    RateLimited &operator=(const RateLimited &) = delete;

    /// Raises std::system_error or std::bad_alloc if there can be no thread.
    void request();
    /// Returns when the run at work has ended; a request that waits for its time is dropped, and
    /// later ones do nothing.
    void stop() noexcept;

  private:
    void run(const std::stop_token &stop);

    const std::chrono::milliseconds period_;
    const std::function<void()> work_;
    Mutex mutex_;
    std::condition_variable_any stopped_;
    std::chrono::steady_clock::time_point next_ GUARDED_BY(mutex_);
    bool isRequested_ GUARDED_BY(mutex_) = false;
    bool isRunning_ GUARDED_BY(mutex_) = false;
    bool isStopped_ GUARDED_BY(mutex_) = false;
    std::jthread thread_ GUARDED_BY(mutex_);
};

} // namespace keyhold
