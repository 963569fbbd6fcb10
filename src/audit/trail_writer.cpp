// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/trail_writer.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

namespace keyhold::audit {

namespace {

constexpr std::size_t kMaxBatch = 256; // records; what is in the way of one must not take long
constexpr std::chrono::seconds kProbePeriod{1};
// Waking the thread takes longer than leaving a record, so it looks again by itself.
constexpr std::chrono::milliseconds kPollPeriod{1};

std::string countOf(std::uint64_t count, const char *what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

Record ofLost(std::uint64_t count, const std::string &how) {
    Record record = ofDriver(Action::missing, countOf(count, "record") + " " + how);
    record.count = count;
    return record;
}

const char *consequenceOf(AuditOnFailure onFailure) noexcept {
    switch (onFailure) {
    case AuditOnFailure::refuseClients:
        return "until it can be, clients get no values and change nothing";
    case AuditOnFailure::refuse:
        return "until it can be, nobody gets values or changes anything";
    case AuditOnFailure::proceed:
        break;
    }
    return "until it can be, records wait in memory";
}

} // namespace

void TrailWriter::run() noexcept {
    while (next())
        write();
    saveKey();
    try {
        reportLost();
    } catch (const std::exception &exception) {
        state_.log.failure("what the audit trail ends without is not known: ", exception);
    }
    const MutexLock lock(state_.mutex);
    state_.isStopped = true;
    state_.progress.notify_all();
}

void TrailWriter::logRecovery() noexcept {
    try {
        state_.log.notice("the audit trail " + inQuotes(state_.options.file) + " is written again");
    } catch (const std::exception &) {
        return; // it says nothing that must be known
    }
}

void TrailWriter::logFailure(const Error &why) noexcept {
    try {
        state_.log.error(why.fullText() + "; " + consequenceOf(state_.onFailure));
    } catch (const std::exception &exception) {
        state_.log.failure("the audit trail cannot be written: ", exception);
    }
}

void TrailWriter::reportLost() {
    std::uint64_t left = 0;
    std::uint64_t lost = 0;
    {
        const MutexLock lock(state_.mutex);
        left = static_cast<std::uint64_t>(std::ranges::count_if(
            state_.backlog, [](const EntryPtr &entry) { return entry->isSpooled; }));
        lost = state_.lostNow + state_.backlog.size() - left;
        if (lost > 0 && state_.spool)
            state_.spool->close(textOf(ofLost(lost, "ended with the process before this one"), 0,
                                       state_.options.source));
    }
    const std::string name = "the audit trail " + inQuotes(state_.options.file);
    if (left > 0)
        state_.log.warning(name + " ends without " + countOf(left, "record") +
                           " that could not be written; the next start writes what is left");
    if (lost > 0)
        state_.log.error(name + " ends without " + countOf(lost, "record") +
                         " that could not be written");
}

TrailWriter::TrailWriter(TrailState &state)
    : state_(state),
      key_(state.fileSystem, state.options.keyFile, state.log) {
    batch_.entries.reserve(kMaxBatch);
    batch_.late.reserve(kMaxBatch);
}

bool TrailWriter::next() noexcept {
    batch_.entries.clear();
    batch_.late.clear();
    MutexLock lock(state_.mutex);
    bool isProbe = false;
    while (state_.queue.empty() && !isProbe && !state_.isStopping) {
        if (!state_.backlog.empty() && state_.failure) {
            state_.work.wait_for(lock, kProbePeriod);
            isProbe = state_.queue.empty();
        } else if (!state_.backlog.empty()) {
            isProbe = true;
        } else if (mustPoll_) {
            mustPoll_ = false;
            state_.work.wait_for(lock, kPollPeriod);
        } else if (key_.mustSave() && Deadline::Clock::now() >= key_.due()) {
            lock.unlock();
            saveKey();
            lock.lock();
        } else {
            state_.isAsleep = true;
            if (key_.mustSave())
                state_.work.wait_until(lock, key_.due());
            else
                state_.work.wait(lock);
            state_.isAsleep = false;
        }
    }
    if (state_.queue.empty() && !isProbe && (state_.backlog.empty() || state_.failure))
        return false; // stopping
    const std::size_t late = std::min(state_.backlog.size(), kMaxBatch);
    const auto backlog = state_.backlog.begin();
    batch_.late.assign(backlog, backlog + static_cast<std::ptrdiff_t>(late));
    for (; !state_.queue.empty() && batch_.entries.size() < kMaxBatch; state_.queue.pop_front()) {
        state_.queue.front()->state = Entry::State::taken;
        batch_.entries.push_back(state_.queue.front());
    }
    mustPoll_ =
        std::ranges::any_of(batch_.entries, [](const EntryPtr &entry) { return entry->isSpooled; });
    batch_.lost = state_.lostNow;
    batch_.mustReopen = std::exchange(state_.mustReopen, false);
    return true;
}

FailurePtr TrailWriter::kept(const Error &error) const noexcept {
    try {
        return std::make_shared<const Error>(error);
    } catch (const std::exception &) {
        return state_.noMemory;
    }
}

void TrailWriter::write() noexcept {
    FailurePtr failure;
    try {
        commit();
    } catch (const Error &error) {
        failure = kept(error);
    } catch (const std::exception &) {
        failure = state_.noMemory;
    }
    if (failure)
        fail(failure);
    else
        finish();
}

void TrailWriter::commit() {
    const auto state = file_ ? file_->look() : TrailFile::State::replaced;
    wasCut_ = wasCut_ || state == TrailFile::State::shorter;
    if (state != TrailFile::State::same || batch_.mustReopen)
        file_.reset();
    if (!file_)
        openFile();
    next_ = head_;
    std::string text;
    for (const Record &record : ahead_)
        add(text, record);
    if (batch_.lost > 0)
        add(text, ofLost(batch_.lost, "found no room to wait while the file could not be written"));
    if (!left_.empty())
        add(text, ofDriver(Action::resumed,
                           countOf(left_.size(), "record") +
                               " that the process before this one had not written follow"));
    for (const std::string &record : left_)
        addText(text, numbered(record, next_.sequence + 1));
    for (const auto *entries : {&batch_.late, &batch_.entries}) {
        for (const EntryPtr &entry : *entries) {
            if (entry->follows && entry->follows->place != 0)
                entry->record.follows = entry->follows->place;
            add(text, entry->record);
            entry->place = next_.sequence;
        }
    }
    file_->append(text, state_.isSynced);
    if (wasCut_ && file_->wasEmpty())
        begunBehind_ = head_.sequence;
    head_ = next_;
    wasCut_ = false;
    ahead_.clear();
    left_.clear();
    if (SealingKey *const key = key_.get())
        key->commit();
    key_.noteUse();
}

void TrailWriter::add(std::string &text, const Record &record) {
    addText(text, textOf(record, next_.sequence + 1, state_.options.source));
}

void TrailWriter::addText(std::string &text, std::string_view record) {
    appendLine(text, record, next_, key_.get());
}

void TrailWriter::openFile() {
    file_.emplace(state_.fileSystem, state_.options.file);
    const Head found = file_->openedAt();
    ahead_.clear();
    Head known = head_; // of this process, or of the one before it
    const auto kept = key_.take();
    if (!hasBegun_) {
        // A file that was renamed since may hold more than was known when the key was kept.
        known = file_->wasEmpty() ? TrailFile::endOfRotated(state_.fileSystem, state_.options.file)
                                  : found;
        if (kept && kept->sequence > known.sequence)
            known = *kept;
    }
    const auto goOn = [&](Action action, std::string message) -> Record & {
        ahead_.push_back(ofDriver(action, std::move(message)));
        head_ = known;
        return ahead_.back();
    };
    if (found.sequence > known.sequence) {
        // The process before this one wrote on after it had kept its key, or a write of this one
        // came to more than its error said.
        if (hasBegun_)
            goOn(Action::resumed, "the calls of the records after " +
                                      std::to_string(known.sequence) +
                                      " may have been refused; those that were not follow again");
        head_ = found;
    } else if (found.sequence == known.sequence) {
        head_ = found;
    } else if (file_->wasEmpty() && !wasCut_) {
        goOn(Action::fileBegun, "").previousChain = hexOf(known.chain);
    } else {
        Record &record = goOn(Action::missing, "records that were written are not in the file");
        record.outcome = Outcome::failure;
        // Of an empty file: what it had, and not what rotated files have.
        record.count = known.sequence - std::max(found.sequence, wasCut_ ? begunBehind_ : 0);
        record.previousChain = hexOf(known.chain);
        state_.log.error("the audit trail " + inQuotes(state_.options.file) + " lacks " +
                         countOf(record.count, "record") + " that had been written");
    }
    if (file_->tornBytes() > 0)
        ahead_.push_back(ofDriver(Action::resumed,
                                  countOf(static_cast<std::uint64_t>(file_->tornBytes()), "byte") +
                                      " of an unfinished record were cut off"));
    if (SealingKey *const key = key_.get()) {
        key->advanceTo(head_.sequence + 1);
        key->commit();
    }
    hasBegun_ = true;
    if (!wasCut_) {
        const auto first = file_->firstSequence();
        begunBehind_ = first ? *first - 1 : head_.sequence;
    }
    openSpool();
    const MutexLock lock(state_.mutex);
    state_.isSealed = key_.get() != nullptr;
}

void TrailWriter::openSpool() {
    if (state_.options.spoolFile.empty() || hasLookedForSpool_)
        return;
    try {
        Spool spool(state_.fileSystem, state_.options.spoolFile);
        std::vector<std::string> left = spool.takeLeft();
        std::set<std::string> written; // without their sequences, which the spool does not know
        if (!left.empty()) {
            const std::string lines = file_->linesAtEnd(2 * Spool::kMaxSize);
            for (std::size_t from = 0; from < lines.size(); from = lines.find('\n', from) + 1) {
                const auto line =
                    parseLine(std::string_view(lines).substr(from, lines.find('\n', from) - from));
                if (line)
                    written.insert(numbered(line->record, 0));
            }
        }
        std::erase_if(left, [&](const std::string &record) {
            return !sequenceOf(record) || written.contains(record);
        });
        left_ = std::move(left);
        const MutexLock lock(state_.mutex);
        state_.spool.emplace(std::move(spool));
        hasLookedForSpool_ = true;
    } catch (const Error &error) {
        hasLookedForSpool_ = true;
        state_.log.error("the audit trail has no spool: " + error.fullText() +
                         "; each call waits until its record is in the trail");
    }
}

void TrailWriter::saveKey() noexcept {
    if (!key_.mustSave())
        return;
    try {
        if (file_ && !state_.isSynced)
            file_->sync(); // or the key knows of records that a power cut takes
    } catch (const std::exception &exception) {
        return state_.log.failure("the key of the audit trail was not kept: ", exception);
    }
    key_.save(head_);
}

void TrailWriter::finish() noexcept {
    const bool mustSaveNow = Deadline::Clock::now() >= key_.due();
    bool hasRecovered = false;
    {
        const MutexLock lock(state_.mutex);
        for (const EntryPtr &entry : batch_.entries) {
            entry->state = Entry::State::written;
            entry->sequence = entry->place;
            entry->follows.reset();
            if (entry->fate != Entry::Fate::waits)
                correct(entry);
        }
        for (const EntryPtr &entry : batch_.late) {
            entry->sequence = entry->place;
            entry->follows.reset();
            state_.backlog.pop_front();
        }
        state_.lostNow -= batch_.lost;
        state_.sequence = head_.sequence;
        state_.written = now();
        if (state_.spool && state_.queue.empty() && state_.backlog.empty())
            state_.spool->clear();
        state_.isStalled = false;
        state_.isStallLogged = false;
        hasRecovered = state_.failure != nullptr;
        state_.failure.reset();
    }
    state_.progress.notify_all();
    if (hasRecovered)
        logRecovery();
    if (mustSaveNow)
        saveKey();
}

void TrailWriter::correct(const EntryPtr &entry) noexcept {
    try {
        Record record = entry->record;
        record.time = now();
        if (entry->fate == Entry::Fate::wentOn) {
            record.isLate = true;
        } else {
            record.outcome = Outcome::failure;
            record.reason = kUnavailable;
        }
        const auto correction = std::make_shared<Entry>(std::move(record));
        correction->follows = entry;
        state_.queue.push_back(correction);
    } catch (const std::exception &) {
        state_.countLost();
    }
}

void TrailWriter::fail(const FailurePtr &failure) noexcept {
    file_.reset();
    if (SealingKey *const key = key_.get())
        key->rollBack();
    bool isNew = false;
    {
        const MutexLock lock(state_.mutex);
        isNew = !state_.failure || state_.failure->message() != failure->message() ||
                state_.failure->systemErrno() != failure->systemErrno();
        state_.failure = failure;
    }
    if (isNew)
        logFailure(*failure);
    const MutexLock lock(state_.mutex);
    for (const EntryPtr &entry : batch_.entries) {
        entry->state = Entry::State::failed;
        entry->failure = failure;
        entry->place = 0;
        if (entry->fate == Entry::Fate::refused) {
            entry->record.outcome = Outcome::failure;
            entry->record.reason = kUnavailable;
        }
        if (!entry->isWaitedFor)
            state_.keep(entry);
    }
    for (const EntryPtr &entry : batch_.late)
        entry->place = 0;
    state_.isStalled = false;
    state_.progress.notify_all();
}

} // namespace keyhold::audit
