// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/reencryption_thread.h"

#include "os/background_thread.h"

#include <utility>

namespace keyhold {

namespace {

constexpr const char *kNotReencrypted =
    "values under an earlier key were not re-encrypted; reload to try again: ";

} // namespace

ReencryptionThread::ReencryptionThread(SecretStore &store, AdminLog &log,
                                       std::function<void()> changed)
    : store_(store),
      log_(log),
      changed_(std::move(changed)) {}

bool ReencryptionThread::isAtWork() const noexcept {
    const MutexLock lock(mutex_);
    return isAtWork_;
}

void ReencryptionThread::request() noexcept {
    bool isToStart = false;
    try {
        isToStart = begin();
        if (!isToStart)
            return;
        changed_();
        startOnce();
    } catch (const std::exception &exception) {
        log_.failure(kNotReencrypted, exception);
        MutexLock lock(mutex_);
        if (isToStart)
            rest(lock);
    }
}

bool ReencryptionThread::begin() {
    const MutexLock lock(mutex_);
    if (isStopped_)
        return false;
    if (isAtWork_) {
        isRequested_ = true;
        return false;
    }
    isAtWork_ = store_.needsReencryption();
    return isAtWork_;
}

void ReencryptionThread::startOnce() {
    MutexLock lock(mutex_);
    if (isStopped_)
        return rest(lock);
    if (!thread_.joinable())
        thread_ = startThread([this](const std::stop_token &stop) { run(stop); });
    isRequested_ = true;
    requested_.notify_all();
}

void ReencryptionThread::run(const std::stop_token &stop) {
    MutexLock lock(mutex_);
    while (requested_.wait(lock, stop, [this]() REQUIRES(mutex_) { return isRequested_; }) &&
           !stop.stop_requested()) {
        isRequested_ = false;
        lock.unlock();
        try {
            store_.reencrypt([&] { return stop.stop_requested(); });
        } catch (const std::exception &exception) {
            log_.failure(kNotReencrypted, exception);
        }
        lock.lock();
        if (!isRequested_)
            rest(lock);
    }
    rest(lock);
}

// The analysis does not follow a lock by reference.
void ReencryptionThread::rest(MutexLock &lock) NO_THREAD_SAFETY_ANALYSIS {
    isRequested_ = false;
    if (!std::exchange(isAtWork_, false))
        return;
    lock.unlock();
    changed_();
    lock.lock();
}

void ReencryptionThread::stop() noexcept {
    std::jthread ending;
    {
        const MutexLock lock(mutex_);
        isStopped_ = true;
        ending.swap(thread_);
    }
    // asked to stop and joined
}

} // namespace keyhold
