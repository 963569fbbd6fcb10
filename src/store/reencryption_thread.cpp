// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/reencryption_thread.h"

#include "os/background_thread.h"

#include <utility>

namespace keyhold {

namespace {

constexpr const char *kNotRenewed =
    "values under an earlier key were not written anew; reload to try again: ";

} // namespace

RenewalThread::RenewalThread(SecretStore &store, Journal &journal, std::function<void()> changed)
    : store_(store),
      journal_(journal),
      changed_(std::move(changed)) {}

bool RenewalThread::isAtWork() const noexcept {
    const std::lock_guard lock(mutex_);
    return isAtWork_;
}

void RenewalThread::request() noexcept {
    bool isToStart = false;
    try {
        isToStart = begin();
        if (!isToStart)
            return;
        changed_();
        startOnce();
    } catch (const std::exception &exception) {
        journal_.failure(kNotRenewed, exception);
        std::unique_lock lock(mutex_);
        if (isToStart)
            rest(lock);
    }
}

bool RenewalThread::begin() {
    const std::lock_guard lock(mutex_);
    if (isStopped_)
        return false;
    if (isAtWork_) {
        isRequested_ = true;
        return false;
    }
    isAtWork_ = store_.hasOutdated();
    return isAtWork_;
}

void RenewalThread::startOnce() {
    std::unique_lock lock(mutex_);
    if (isStopped_)
        return rest(lock);
    if (!thread_.joinable())
        thread_ = startThread([this](const std::stop_token &stop) { run(stop); });
    isRequested_ = true;
    requested_.notify_all();
}

void RenewalThread::run(const std::stop_token &stop) {
    std::unique_lock lock(mutex_);
    while (requested_.wait(lock, stop, [this] { return isRequested_; }) && !stop.stop_requested()) {
        isRequested_ = false;
        lock.unlock();
        try {
            store_.renewOutdated([&] { return stop.stop_requested(); });
        } catch (const std::exception &exception) {
            journal_.failure(kNotRenewed, exception);
        }
        lock.lock();
        if (!isRequested_)
            rest(lock);
    }
    rest(lock);
}

void RenewalThread::rest(std::unique_lock<std::mutex> &lock) {
    isRequested_ = false;
    if (!std::exchange(isAtWork_, false))
        return;
    lock.unlock();
    changed_();
    lock.lock();
}

void RenewalThread::stop() noexcept {
    std::jthread ending;
    {
        const std::lock_guard lock(mutex_);
        isStopped_ = true;
        ending.swap(thread_);
    }
    // asked to stop and joined
}

} // namespace keyhold
