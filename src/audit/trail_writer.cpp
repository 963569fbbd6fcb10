// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/trail_writer.h"

#include "audit/key_file.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

namespace keyhold::audit {

namespace {

constexpr std::size_t kMaxBatch = 256; // records; what is in the way of one must not take long
constexpr std::chrono::seconds kProbePeriod{1};
constexpr std::chrono::minutes kKeyPeriod{1};
// Waking the thread takes longer than leaving a record, so it looks again by itself.
constexpr std::chrono::milliseconds kPollPeriod{1};

std::string countOf(std::uint64_t count, const char *what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
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
    while (auto batch = next())
        write(*batch);
    saveKey();
    std::uint64_t lost = 0;
    {
        const MutexLock lock(state_.mutex);
        lost = state_.lostNow + state_.backlog.size();
    }
    if (lost > 0)
        state_.log.error("the audit trail " + inQuotes(state_.options.file) + " ends without " +
                         countOf(lost, "record") + " that could not be written");
    const MutexLock lock(state_.mutex);
    state_.isStopped = true;
    state_.progress.notify_all();
}

std::optional<TrailWriter::Batch> TrailWriter::next() {
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
        } else if (mustSaveKey_ && Deadline::Clock::now() >= saved_ + kKeyPeriod) {
            lock.unlock();
            saveKey();
            lock.lock();
        } else {
            state_.isAsleep = true;
            if (mustSaveKey_)
                state_.work.wait_until(lock, saved_ + kKeyPeriod);
            else
                state_.work.wait(lock);
            state_.isAsleep = false;
        }
    }
    if (state_.queue.empty() && !isProbe && (state_.backlog.empty() || state_.failure))
        return std::nullopt; // stopping
    Batch batch;
    const std::size_t late = std::min(state_.backlog.size(), kMaxBatch);
    const auto backlog = state_.backlog.begin();
    batch.late.assign(backlog, backlog + static_cast<std::ptrdiff_t>(late));
    for (; !state_.queue.empty() && batch.entries.size() < kMaxBatch; state_.queue.pop_front()) {
        state_.queue.front()->state = Entry::State::taken;
        batch.entries.push_back(state_.queue.front());
    }
    mustPoll_ =
        std::ranges::any_of(batch.entries, [](const EntryPtr &entry) { return entry->isSpooled; });
    batch.lost = state_.lostNow;
    batch.mustReopen = std::exchange(state_.mustReopen, false);
    return batch;
}

void TrailWriter::write(Batch &batch) noexcept {
    std::vector<std::uint64_t> sequences;
    try {
        commit(batch, sequences);
        return finish(batch, sequences);
    } catch (const Error &error) {
        fail(batch, error);
    } catch (const std::exception &exception) {
        fail(batch, Error(ErrorCode::noMemory, exception.what(), ENOMEM));
    }
}

void TrailWriter::commit(const Batch &batch, std::vector<std::uint64_t> &sequences) {
    if (batch.mustReopen)
        file_.reset();
    if (file_ && file_->look() != TrailFile::State::same)
        file_.reset();
    if (!file_)
        openFile();
    next_ = head_;
    std::string text;
    for (const Record &record : ahead_)
        add(text, record);
    if (batch.lost > 0) {
        Record record = ofDriver(Action::missing, countOf(batch.lost, "record") +
                                                      " found no room to wait while the file "
                                                      "could not be written");
        record.count = batch.lost;
        add(text, record);
    }
    if (!left_.empty())
        add(text, ofDriver(Action::resumed,
                           countOf(left_.size(), "record") +
                               " that the process before this one had not written follow"));
    for (const std::string &record : left_)
        addText(text, numbered(record, next_.sequence + 1));
    for (const Record &record : batch.late)
        add(text, record);
    for (const EntryPtr &entry : batch.entries)
        sequences.push_back(add(text, entry->record));
    file_->append(text, state_.options.isSynced);
    head_ = next_;
    ahead_.clear();
    left_.clear();
    if (key_)
        key_->commit();
    mustSaveKey_ = key_.has_value();
}

std::uint64_t TrailWriter::add(std::string &text, const Record &record) {
    addText(text, textOf(record, next_.sequence + 1, state_.options.source));
    return next_.sequence;
}

void TrailWriter::addText(std::string &text, std::string_view record) {
    appendLine(text, record, next_, key_ ? &*key_ : nullptr);
}

void TrailWriter::openFile() {
    file_.emplace(state_.fileSystem, state_.options.file);
    const Head found = file_->openedAt();
    ahead_.clear();
    Head known = head_; // of this process, or of the one before it
    const auto kept = readKey();
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
    } else if (file_->wasEmpty()) {
        goOn(Action::fileBegun, "").previousChain = hexOf(known.chain);
    } else {
        Record &record = goOn(Action::missing, "records that were written are not in the file");
        record.outcome = Outcome::failure;
        record.count = known.sequence - found.sequence;
        record.previousChain = hexOf(known.chain);
        state_.log.error("the audit trail " + inQuotes(state_.options.file) + " lacks " +
                         countOf(record.count, "record") + " that had been written");
    }
    if (file_->tornBytes() > 0)
        ahead_.push_back(ofDriver(Action::resumed,
                                  countOf(static_cast<std::uint64_t>(file_->tornBytes()), "byte") +
                                      " of an unfinished record were cut off"));
    if (key_) {
        key_->advanceTo(head_.sequence + 1);
        key_->commit();
    }
    hasBegun_ = true;
    openSpool();
}

void TrailWriter::openSpool() {
    if (state_.options.spoolFile.empty() || hasLookedForSpool_)
        return;
    hasLookedForSpool_ = true;
    try {
        Spool spool(state_.fileSystem, state_.options.spoolFile);
        std::set<std::string> written; // without their sequences, which the spool does not know
        if (!spool.left().empty()) {
            const std::string lines = file_->linesAtEnd(2 * Spool::kMaxSize);
            for (std::size_t from = 0; from < lines.size(); from = lines.find('\n', from) + 1) {
                const auto line =
                    parseLine(std::string_view(lines).substr(from, lines.find('\n', from) - from));
                if (line)
                    written.insert(numbered(line->record, 0));
            }
        }
        for (const std::string &record : spool.left()) {
            if (sequenceOf(record) && !written.contains(record))
                left_.push_back(record);
        }
        const MutexLock lock(state_.mutex);
        state_.spool.emplace(std::move(spool));
    } catch (const Error &error) {
        state_.log.error(error.fullText() + "; each call waits until its record is in the trail");
    }
}

std::optional<Head> TrailWriter::readKey() {
    if (key_)
        return std::nullopt;
    const std::string &path = state_.options.keyFile;
    const std::size_t slash = path.rfind('/');
    std::optional<Head> known;
    std::string why;
    try {
        FileStatus status;
        const std::string directory = path.substr(0, slash);
        if (state_.fileSystem.statusOf(directory, status) == -ENOENT)
            return std::nullopt;
        auto kept = readSealingKey(StoreDirectory::toReachFiles(state_.fileSystem, directory),
                                   path.substr(slash + 1));
        if (kept) {
            known = Head{kept->key.sequence() - 1, kept->chain};
            key_ = std::move(kept->key);
        }
    } catch (const Error &error) {
        why = error.fullText();
    }
    if (!why.empty() && why != toldKey_)
        state_.log.error("audit records are not sealed: " + why);
    toldKey_ = why;
    const MutexLock lock(state_.mutex);
    state_.isSealed = key_.has_value();
    return known;
}

void TrailWriter::saveKey() noexcept {
    if (!key_ || !mustSaveKey_)
        return;
    saved_ = Deadline::Clock::now();
    try {
        if (file_ && !state_.options.isSynced)
            file_->sync(); // or the key knows of records that a power cut takes
        key_->advanceTo(head_.sequence + 1);
        key_->commit();
        const std::string &path = state_.options.keyFile;
        const std::size_t slash = path.rfind('/');
        StoreDirectory directory(state_.fileSystem, path.substr(0, slash));
        writeSealingKey(directory, path.substr(slash + 1), *key_, head_.chain);
        mustSaveKey_ = false;
    } catch (const std::exception &exception) {
        state_.log.failure("the key of the audit trail was not kept: ", exception);
    }
}

void TrailWriter::finish(Batch &batch, const std::vector<std::uint64_t> &sequences) {
    const bool mustSaveNow = Deadline::Clock::now() >= saved_ + kKeyPeriod;
    bool hasRecovered = false;
    {
        const MutexLock lock(state_.mutex);
        for (std::size_t i = 0; i < batch.entries.size(); ++i) {
            Entry &entry = *batch.entries[i];
            entry.state = Entry::State::written;
            entry.sequence = sequences[i];
            if (!entry.isRefused)
                continue;
            Record correction = entry.record;
            correction.time = now();
            correction.outcome = Outcome::failure;
            correction.reason = kUnavailable;
            correction.follows = entry.sequence;
            state_.queue.push_back(std::make_shared<Entry>(std::move(correction)));
        }
        for (std::size_t i = 0; i < batch.late.size(); ++i)
            state_.backlog.pop_front();
        state_.lostNow -= batch.lost;
        state_.sequence = head_.sequence;
        state_.written = now();
        if (state_.spool && state_.queue.empty() && state_.backlog.empty())
            state_.spool->clear();
        state_.isStalled = false;
        state_.isStallLogged = false;
        hasRecovered = state_.failure.has_value();
        state_.failure.reset();
    }
    state_.progress.notify_all();
    if (hasRecovered)
        state_.log.notice("the audit trail " + inQuotes(state_.options.file) + " is written again");
    if (mustSaveNow)
        saveKey();
}

void TrailWriter::fail(Batch &batch, const Error &why) {
    file_.reset();
    if (key_)
        key_->rollBack();
    bool isNew = false;
    {
        const MutexLock lock(state_.mutex);
        isNew = !state_.failure || state_.failure->message() != why.message() ||
                state_.failure->systemErrno() != why.systemErrno();
        state_.failure = why;
    }
    if (isNew)
        state_.log.error(why.fullText() + "; " + consequenceOf(state_.options.onFailure));
    const MutexLock lock(state_.mutex);
    for (const EntryPtr &entry : batch.entries) {
        entry->state = Entry::State::failed;
        entry->failure = why;
        if (entry->isRefused) {
            entry->record.outcome = Outcome::failure;
            entry->record.reason = kUnavailable;
        }
        if (!entry->isWaitedFor)
            state_.keep(std::move(entry->record), entry->isSpooled);
    }
    state_.isStalled = false;
    state_.progress.notify_all();
}

} // namespace keyhold::audit
