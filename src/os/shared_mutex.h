// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/mutex.h"

#include <atomic>
#include <shared_mutex>

namespace keyhold {

/// A lock for one writer or many readers that neither keep the others out of for good; taken by a
/// WriterLock or a ReaderLock. std::shared_mutex alone is not that: glibc's lets readers in as long
/// as one of them is inside, so that a few that are always busy keep every writer out, and its
/// other kind does the same to readers (pthread_rwlockattr_setkind_np(3)). Here, who comes while a
/// writer waits queues up behind it.
///
/// A thread that has it for reading must not ask for it once more: it would queue up behind a
/// writer that waits for it.
class CAPABILITY("mutex") SharedMutex {
  public:
    void lock() {
        const MutexLock turn(queue_);
        isWriterWaiting_.store(true, std::memory_order_relaxed);
        mutex_.lock();
        isWriterWaiting_.store(false, std::memory_order_relaxed);
    }
    void unlock() { mutex_.unlock(); }

    void lock_shared() {
        if (isWriterWaiting()) [[unlikely]] {
            const MutexLock turn(queue_);
            mutex_.lock_shared();
        } else {
            mutex_.lock_shared();
        }
    }
    /// False as well if a writer waits.
    [[nodiscard]] bool try_lock_shared() { return !isWriterWaiting() && mutex_.try_lock_shared(); }
    void unlock_shared() { mutex_.unlock_shared(); }

  private:
    // Relaxed: it says who goes first, and orders nothing.
    [[nodiscard]] bool isWriterWaiting() const noexcept {
        return isWriterWaiting_.load(std::memory_order_relaxed);
    }

    std::shared_mutex mutex_;
    Mutex queue_; // held by the one who is next
    std::atomic<bool> isWriterWaiting_{false};
};

/// Holds a SharedMutex alone while it lives. std::condition_variable_any waits with it.
class SCOPED_CAPABILITY WriterLock : public std::unique_lock<SharedMutex> {
  public:
    explicit WriterLock(SharedMutex &mutex) ACQUIRE(mutex) : unique_lock(mutex) {}
    ~WriterLock() RELEASE() {}
    void lock() ACQUIRE() { unique_lock::lock(); }
    void unlock() RELEASE() { unique_lock::unlock(); }
};

/// Holds a SharedMutex beside other readers while it lives.
class SCOPED_CAPABILITY ReaderLock : std::shared_lock<SharedMutex> {
  public:
    explicit ReaderLock(SharedMutex &mutex) ACQUIRE_SHARED(mutex) : shared_lock(mutex) {}
    ~ReaderLock() RELEASE() {}
};

} // namespace keyhold
