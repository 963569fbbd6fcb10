// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/background_thread.h"

#include <pthread.h>
#include <signal.h>

namespace keyhold {

namespace {

// A thread started while this lives inherits a mask that blocks every signal.
class BlockedSignals {
  public:
    BlockedSignals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    BlockedSignals(const BlockedSignals &) = delete;
    BlockedSignals &operator=(const BlockedSignals &) = delete;

  private:
    sigset_t before_;
};

} // namespace

std::jthread startThread(std::function<void(const std::stop_token &)> work) {
    const BlockedSignals blocked;
    return std::jthread([work = std::move(work)](const std::stop_token &stop) {
        pthread_setname_np(pthread_self(), "keyhold"); // not that of the thread that started it
        work(stop);
    });
}

} // namespace keyhold
