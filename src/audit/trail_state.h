// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/spool.h"
#include "audit/trail.h"
#include "conf/error.h"
#include "conf/mutex.h"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <optional>

namespace keyhold::audit {

using FailurePtr = std::shared_ptr<const Error>;

/// A record on its way to the file. Its members are of the lock of the state until it is taken, and
/// `record`, `follows` and `place` of the thread alone then.
struct Entry {
    enum class State { queued, taken, written, failed };

    explicit Entry(Record itsRecord) : record(std::move(itsRecord)) {}

    Record record;
    std::shared_ptr<Entry> follows; ///< what this says more of
    State state = State::queued;
    bool isWaitedFor = false;
    bool isSpooled = false; ///< the spool has it
    /// What became of its call while it was taken.
    enum class Fate { waits, refused, wentOn } fate = Fate::waits;
    std::uint64_t place = 0; ///< the sequence that the thread has given it, and may take back
    std::atomic<std::uint64_t> sequence{0}; ///< once it is written
    FailurePtr failure;                     ///< of State::failed
};
using EntryPtr = std::shared_ptr<Entry>;

/// What callers and the writing thread of a trail share.
struct TrailState {
    TrailState(FileSystem &itsFileSystem, Options itsOptions, AdminLog &itsLog)
        : fileSystem(itsFileSystem),
          options(std::move(itsOptions)),
          log(itsLog),
          isSynced(options.isSynced),
          onFailure(options.onFailure) {}

    FileSystem &fileSystem;
    const Options options;
    AdminLog &log;
    std::atomic<bool> isSynced;
    std::atomic<AuditOnFailure> onFailure;
    const FailurePtr noMemory = std::make_shared<const Error>(
        ErrorCode::noMemory, "there is no memory for the record", ENOMEM);

    mutable Mutex mutex;
    std::condition_variable work;     ///< for the thread
    std::condition_variable progress; ///< for who waits
    std::deque<EntryPtr> queue GUARDED_BY(mutex);
    /// Records whose calls have gone on, oldest first, while the file cannot be written.
    std::deque<EntryPtr> backlog GUARDED_BY(mutex);
    std::uint64_t lostNow GUARDED_BY(mutex) = 0; ///< since the last record that told of it
    std::uint64_t lost GUARDED_BY(mutex) = 0;
    FailurePtr failure GUARDED_BY(mutex);
    bool isStalled GUARDED_BY(mutex) = false; ///< a call has waited in vain; none waits until later
    bool isStallLogged GUARDED_BY(mutex) = false;
    bool mustReopen GUARDED_BY(mutex) = false;
    bool isStopping GUARDED_BY(mutex) = false;
    bool isStopped GUARDED_BY(mutex) = false;
    bool isSealed GUARDED_BY(mutex) = false;
    std::uint64_t sequence GUARDED_BY(mutex) = 0;
    std::int64_t written GUARDED_BY(mutex) = 0;
    std::optional<Spool> spool GUARDED_BY(mutex); ///< once the thread has opened it
    bool isAsleep GUARDED_BY(mutex) = false;      ///< the thread looks at the queue when woken

    /// Leaves a record that nobody needs the sequence of to the thread, without waiting for it.
    /// False if that is not possible now, or would say less than was promised.
    bool leave(const EntryPtr &entry) {
        if (isSynced || options.spoolFile.empty() || entry->record.outcome == Outcome::unknown)
            return false;
        const std::string text = textOf(entry->record, 0, options.source);
        const MutexLock lock(mutex);
        if (!spool || failure || isStalled || isStopping || queue.size() >= Trail::kMaxWaiting ||
            !spool->append(text))
            return false;
        entry->isSpooled = true;
        queue.push_back(entry);
        if (isAsleep)
            work.notify_one();
        return true;
    }

    /// Keeps the record of a call that has gone on, for when the file can be written again, and in
    /// the spool as well, for the case that the process ends before that.
    void keep(const EntryPtr &entry) noexcept REQUIRES(mutex) {
        // Calls that failed leave room for those that went on.
        const std::size_t room =
            entry->record.outcome == Outcome::failure ? Trail::kMaxWaiting / 2 : Trail::kMaxWaiting;
        try {
            if (backlog.size() < room) {
                entry->record.isLate = true;
                backlog.push_back(entry);
                if (spool && !entry->isSpooled)
                    entry->isSpooled = spool->append(textOf(entry->record, 0, options.source));
                work.notify_one();
                return;
            }
        } catch (const std::exception &) {
            if (!backlog.empty() && backlog.back() == entry)
                return; // it is not in the spool
        }
        countLost();
    }
    void countLost() noexcept REQUIRES(mutex) {
        ++lostNow;
        ++lost;
    }
};

} // namespace keyhold::audit
