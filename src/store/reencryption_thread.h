// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "conf/mutex.h"
#include "store/secret_store.h"

#include <condition_variable>
#include <functional>
#include <stop_token>
#include <thread>

namespace keyhold {

/// Re-encrypts the values of a store that need it on a thread of its own, so that nobody waits for
/// it. One re-encryption at a time: each value is written by the rules of that moment, and what is
/// requested until then makes the re-encryption at work go round once more. The thread is made at
/// the first request that finds something to do.
class ReencryptionThread {
  public:
    /// `store` and `log` outlive it. `changed` is called, on any thread and with no lock held,
    /// when isAtWork() may have another answer: before the first value is touched, and after the
    /// last. It raises nothing, and may call request().
    ReencryptionThread(SecretStore &store, AdminLog &log, std::function<void()> changed);
    /// As stop().
    ~ReencryptionThread() { stop(); }
    ReencryptionThread(const ReencryptionThread &) = delete;
    ReencryptionThread &operator=(const ReencryptionThread &) = delete;

    /// Has the values that are reencryptable now re-encrypted, and does not wait for it. What keeps
    /// it from that goes to the log.
    void request() noexcept;
    /// From a request that found something to do until all of it is done.
    [[nodiscard]] bool isAtWork() const noexcept;
    /// Ends a re-encryption after the value in hand, and returns when it has ended; the next start
    /// goes on. Later requests do nothing. Not for the thread itself.
    void stop() noexcept;

  private:
    /// True if a re-encryption is to be started. One that is at work takes the request over.
    [[nodiscard]] bool begin();
    void startOnce();
    void run(const std::stop_token &stop);
    /// Nothing is at work any more; `lock` is of mutex_ and released while the host is told.
    void rest(MutexLock &lock) REQUIRES(mutex_);

    SecretStore &store_;
    AdminLog &log_;
    const std::function<void()> changed_;
    mutable Mutex mutex_;
    std::condition_variable_any requested_;
    bool isRequested_ GUARDED_BY(mutex_) = false;
    bool isAtWork_ GUARDED_BY(mutex_) = false;
    bool isStopped_ GUARDED_BY(mutex_) = false;
    std::jthread thread_ GUARDED_BY(mutex_);
};

} // namespace keyhold
