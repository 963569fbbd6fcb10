// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/mutex.h"

namespace keyhold {

/// Runs a piece of work on one thread at a time, with no lock held while it runs. A request that
/// comes while the work is running makes it run once more, on the thread that runs it already.
class SingleRunner {
  public:
    template <typename Work>
    void request(Work &&work) {
        {
            const MutexLock lock(mutex_);
            isRequested_ = true;
            if (isRunning_)
                return;
            isRunning_ = true;
        }
        try {
            while (isStillRequested())
                work();
        } catch (...) {
            const MutexLock lock(mutex_);
            isRunning_ = false;
            throw;
        }
    }

  private:
    bool isStillRequested() {
        const MutexLock lock(mutex_);
        isRunning_ = isRequested_;
        isRequested_ = false;
        return isRunning_;
    }

    Mutex mutex_;
    bool isRequested_ GUARDED_BY(mutex_) = false;
    bool isRunning_ GUARDED_BY(mutex_) = false;
};

} // namespace keyhold
