// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/trail.h"

#include "audit/trail_state.h"
#include "audit/trail_writer.h"
#include "os/background_thread.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <unistd.h>

namespace keyhold::audit {

namespace {

// Short enough for a clock that a test sets.
constexpr std::chrono::milliseconds kSlice{20};

bool goesOn(AuditOnFailure onFailure, const Record &record) {
    switch (onFailure) {
    case AuditOnFailure::refuse:
        return false;
    case AuditOnFailure::proceed:
        return true;
    case AuditOnFailure::refuseClients:
        break;
    }
    return !record.caller || record.caller->isElevated;
}

Error notAnswering() {
    return {ErrorCode::fileAccess,
            "it has not answered for " + std::to_string(Trail::kPatience.count()) + " seconds",
            ETIMEDOUT};
}

Error refusal(const std::string &file, const Error &why) {
    return {ErrorCode::fileAccess,
            "refused, because the audit trail " + inQuotes(file) +
                " cannot be written: " + why.message(),
            why.systemErrno()};
}

} // namespace

Trail::Trail(FileSystem &fileSystem, Options options, AdminLog &log)
    : state_(std::make_shared<TrailState>(fileSystem, std::move(options), log)),
      thread_(startThread([state = state_, writer = std::make_shared<TrailWriter>(*state_)](
                              const std::stop_token &) { writer->run(); })),
      owner_(::getpid()) {}

Trail::~Trail() {
    stop();
}

std::uint64_t Admission::sequence() const noexcept {
    return entry_ ? entry_->sequence.load() : 0;
}

Admission Trail::admit(Record record) {
    const Deadline deadline(kPatience, state_->options.now);
    const bool mayGoOn = goesOn(state_->onFailure, record);
    cutTexts(record);
    const auto entry = std::make_shared<Entry>(std::move(record));
    if (::getpid() == owner_ && state_->leave(entry))
        return Admission(entry);
    entry->isWaitedFor = true;
    Error why(ErrorCode::fileAccess, "the driver is about to end", ESHUTDOWN);
    MutexLock lock(state_->mutex);
    if (state_->isStalled) {
        why = state_->failure ? *state_->failure : notAnswering();
    } else if (!state_->isStopping) {
        state_->queue.push_back(entry);
        state_->work.notify_one();
        while (entry->state < Entry::State::written && !deadline.hasPassed())
            state_->progress.wait_for(lock, kSlice);
        if (entry->state == Entry::State::written)
            return Admission(entry);
        if (entry->state == Entry::State::failed) {
            why = *entry->failure;
        } else {
            why = notAnswering();
            state_->isStalled = true;
            state_->failure = std::make_shared<const Error>(why);
        }
    }
    const bool isTaken = entry->state == Entry::State::taken;
    const bool isFirst = entry->state < Entry::State::failed && why.systemErrno() == ETIMEDOUT &&
                         !std::exchange(state_->isStallLogged, true);
    if (entry->state == Entry::State::queued)
        std::erase(state_->queue, entry);
    entry->isWaitedFor = false;
    entry->fate = mayGoOn ? Entry::Fate::wentOn : Entry::Fate::refused;
    // One that is taken is written or kept by the thread.
    if (mayGoOn && !isTaken)
        state_->keep(entry);
    const bool isLost = mayGoOn && state_->isStopped;
    lock.unlock();
    const std::string name = "the audit trail " + inQuotes(state_->options.file);
    if (isFirst)
        state_->log.error(name + ": " + why.message());
    if (isLost)
        state_->log.error(name + " has ended, and a call went on unrecorded");
    if (mayGoOn)
        return Admission(entry);
    throw UnavailableError(refusal(state_->options.file, why), isTaken);
}

void Trail::note(Record record, const Admission &follows) noexcept {
    if (::getpid() != owner_)
        return; // the thread may have held the lock at the fork
    try {
        cutTexts(record);
        const auto entry = std::make_shared<Entry>(std::move(record));
        entry->follows = follows.entry_;
        const MutexLock lock(state_->mutex);
        if (state_->isStalled || state_->queue.size() >= kMaxWaiting)
            state_->keep(entry);
        else
            state_->queue.push_back(entry);
    } catch (const std::exception &) {
        const MutexLock lock(state_->mutex);
        state_->countLost();
    }
    state_->work.notify_one();
}

void Trail::reopen() noexcept {
    {
        const MutexLock lock(state_->mutex);
        state_->mustReopen = true;
    }
    state_->work.notify_one();
}

Health Trail::health() const {
    const MutexLock lock(state_->mutex);
    return {.file = state_->options.file,
            .sequence = state_->sequence,
            .written = state_->written,
            .isSealed = state_->isSealed,
            .failure = state_->failure ? state_->failure->fullText() : std::string(),
            .waiting = state_->backlog.size(),
            .lost = state_->lost};
}

const Options &Trail::options() const noexcept {
    return state_->options;
}

void Trail::setPolicy(bool isSynced, AuditOnFailure onFailure) noexcept {
    state_->isSynced = isSynced;
    state_->onFailure = onFailure;
}

void Trail::stop() noexcept {
    if (!thread_.joinable())
        return;
    if (::getpid() != owner_)
        return thread_.detach();
    const Deadline deadline(kPatience, state_->options.now);
    bool isStopped = false;
    {
        MutexLock lock(state_->mutex);
        state_->isStopping = true;
        state_->work.notify_one();
        while (!state_->isStopped && !deadline.hasPassed())
            state_->progress.wait_for(lock, kSlice);
        isStopped = state_->isStopped;
    }
    if (isStopped)
        thread_.join();
    else
        thread_.detach(); // it hangs in the kernel; what it uses it owns
}

} // namespace keyhold::audit
