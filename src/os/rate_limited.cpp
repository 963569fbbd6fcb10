// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/rate_limited.h"

#include "os/background_thread.h"

namespace keyhold {

void RateLimited::request() {
    const MutexLock lock(mutex_);
    isRequested_ = true;
    if (isRunning_ || isStopped_)
        return;
    thread_ = startThread([this](const std::stop_token &stop) { run(stop); });
    isRunning_ = true;
}

void RateLimited::run(const std::stop_token &stop) {
    MutexLock lock(mutex_);
    while (isRequested_ && !stop.stop_requested()) {
        stopped_.wait_until(lock, stop, next_, [] { return false; });
        if (stop.stop_requested())
            break;
        isRequested_ = false;
        lock.unlock();
        work_();
        lock.lock();
        next_ = std::chrono::steady_clock::now() + period_;
    }
    isRunning_ = false;
}

void RateLimited::stop() noexcept {
    std::jthread ending;
    {
        const MutexLock lock(mutex_);
        isStopped_ = true;
        ending.swap(thread_);
    }
    // asked to stop and joined
}

} // namespace keyhold
