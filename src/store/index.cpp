// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/index.h"

#include "os/parallel.h"

#include <array>
#include <vector>

namespace keyhold {

namespace {

std::string textOfRefused(const Uuid &owner, const char *verb, const Usage &usage) {
    // The stock driver prints the missing id of a secret without a use this way.
    const std::string id = usage.type == UsageType::none ? "(null)" : usage.id;
    return "a secret with UUID " + owner.toString() + " " + verb + " for use with " + id;
}

} // namespace

UseTakenError::UseTakenError(const Uuid &owner, const Usage &usage, SourcePlace place)
    : Error(ErrorCode::internal, textOfRefused(owner, "already defined", usage), 0, place),
      owner_(owner) {}

Index::Index() {
    // A step along a chain is a cache miss; a place is eight bytes.
    constexpr float kLoadFactor = 0.5F;
    places_.max_load_factor(kLoadFactor);
    usages_.max_load_factor(kLoadFactor);
}

RecordPtr Index::find(const Uuid &uuid) const {
    const ReaderLock lock(mutex_);
    const auto found = places_.find(uuid);
    return found == places_.end() ? nullptr : records_.at(found->second);
}

RecordPtr Index::find(const Usage &usage) const {
    if (usage.type == UsageType::none)
        return nullptr;
    const ReaderLock lock(mutex_);
    const auto entry = usages_.find(usage);
    return entry == usages_.end() || !entry->second.isPublished ? nullptr
                                                                : records_.at(entry->second.place);
}

RecordSnapshot Index::all() const {
    const ReaderLock lock(mutex_);
    return records_.snapshot();
}

std::size_t Index::ephemeralCount() const {
    const ReaderLock lock(mutex_);
    return ephemeral_;
}

void Index::fill(Records records, const Refused &refused) {
    const WriterLock lock(mutex_);
    places_.reserve(records.size());
    usages_.reserve(records.size());
    if (!fillAtOnce(records))
        fillInOrder(records, refused);
}

bool Index::fillAtOnce(Records records) {
    // Records are of no order that memory knows: while one is put in, the next is on its way.
    const auto each = [&](const auto &put) {
        constexpr std::size_t kAhead = 8;
        bool isFree = true;
        for (std::size_t i = 0; i < records.size() && isFree; ++i) {
            if (i + kAhead < records.size())
                prefetchRecord(records[i + kAhead].get());
            isFree = !records[i] || put(i);
        }
        return isFree;
    };
    std::vector<RecordTable::Place> places(records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (records[i])
            places[i] = records_.take();
    }
    // The threads that run these work for the one that holds the lock.
    const auto putUuid = [&](std::size_t i) NO_THREAD_SAFETY_ANALYSIS {
        records_.put(places[i], records[i]);
        ephemeral_ += records[i]->definition.isEphemeral ? 1 : 0;
        return places_.try_emplace(records[i]->definition.uuid, places[i]).second;
    };
    const auto putUsage = [&](std::size_t i) NO_THREAD_SAFETY_ANALYSIS {
        const auto &[uuid, isEphemeral, isPrivate, description, usage] = records[i]->definition;
        return usage.type == UsageType::none ||
               usages_.try_emplace(usage, UsageEntry{uuid, true, places[i]}).second;
    };
    constexpr std::size_t kWorthAThread = 512;
    std::array<bool, 2> isFree{};
    parallelFor(
        isFree.size(),
        [&](std::size_t table) { isFree[table] = table == 0 ? each(putUuid) : each(putUsage); },
        records.size() < kWorthAThread ? isFree.size() : 1);
    if (isFree[0] && isFree[1])
        return true;
    places_.clear();
    usages_.clear();
    records_.clear();
    ephemeral_ = 0;
    return false;
}

void Index::fillInOrder(Records records, const Refused &refused) {
    for (const RecordPtr &record : records) {
        if (!record)
            continue;
        const auto &[uuid, isEphemeral, isPrivate, description, usage] = record->definition;
        const RecordTable::Place place = records_.take();
        const auto [found, isFirst] = places_.try_emplace(uuid, place);
        if (!isFirst) {
            records_.giveBack(place);
            continue; // a file may be listed twice if its name changes in between
        }
        if (usage.type != UsageType::none) {
            const auto [entry, isFree] = usages_.try_emplace(usage, UsageEntry{uuid, true, place});
            if (!isFree) {
                refused(uuid, UseTakenError(entry->second.uuid, usage));
                places_.erase(found);
                records_.giveBack(place);
                continue;
            }
        }
        records_.put(place, record);
        ephemeral_ += isEphemeral ? 1 : 0;
    }
}

std::list<Change> Index::takeChanges() {
    std::list<Change> out;
    const WriterLock lock(mutex_);
    out.swap(changes_);
    return out;
}

IndexWriter::IndexWriter(Index &index, const Uuid &uuid) : index_(index), uuid_(uuid) {
    WriterLock lock(index_.mutex_);
    while (index_.busy_.contains(uuid_))
        index_.writerLeft_.wait(lock);
    index_.busy_.insert(uuid_);
    const auto found = index_.places_.find(uuid_);
    if (found != index_.places_.end()) {
        place_ = found->second;
        current_ = index_.records_.at(place_);
    }
}

IndexWriter::~IndexWriter() {
    {
        const WriterLock lock(index_.mutex_);
        dropReservation();
        index_.busy_.erase(uuid_);
    }
    index_.writerLeft_.notify_all();
}

void IndexWriter::reserve(const SecretDefinition &next) {
    if (current_) {
        const Usage &old = current_->definition.usage;
        if (old.id != next.usage.id)
            throw Error(ErrorCode::internal, textOfRefused(uuid_, "is already defined", old));
        if (current_->definition.isPrivate && !next.isPrivate)
            throw Error(ErrorCode::internal, "cannot change private flag on existing secret");
    }

    Usage usage = next.usage; // copied before anything is reserved: nothing may throw in between
    const WriterLock lock(index_.mutex_);
    dropReservation();
    if (!current_) {
        place_ = index_.records_.take();
        try {
            index_.places_.emplace(uuid_, place_);
        } catch (...) {
            index_.records_.giveBack(place_);
            throw;
        }
        hasReservedUuid_ = true;
    }
    if (next.usage.type != UsageType::none) {
        const auto [entry, isNew] =
            index_.usages_.try_emplace(next.usage, Index::UsageEntry{uuid_, false, place_});
        if (!isNew && entry->second.uuid != uuid_)
            throw UseTakenError(entry->second.uuid, next.usage);
        if (isNew)
            std::swap(reservedUsage_, usage);
    }
}

void IndexWriter::publish(RecordPtr next, std::list<Change> changes) noexcept {
    RecordPtr former = next;
    const RecordPtr left = current_; // released after the lock
    const WriterLock lock(index_.mutex_);
    const Usage &usage = next->definition.usage;
    if (usage.type != UsageType::none)
        index_.usages_.find(usage)->second.isPublished = true;
    if (current_) {
        const Usage &old = current_->definition.usage;
        if (old != usage && old.type != UsageType::none)
            index_.usages_.erase(old);
        index_.ephemeral_ -= current_->definition.isEphemeral ? 1 : 0;
    }
    index_.ephemeral_ += next->definition.isEphemeral ? 1 : 0;
    index_.records_.exchange(place_, former, spare_);
    current_ = std::move(next);
    hasReservedUuid_ = false;
    reservedUsage_.type = UsageType::none;
    index_.changes_.splice(index_.changes_.end(), changes);
}

void IndexWriter::withdraw(std::list<Change> changes) noexcept {
    RecordPtr former;
    const WriterLock lock(index_.mutex_);
    dropReservation();
    if (!current_)
        return;
    if (current_->definition.usage.type != UsageType::none)
        index_.usages_.erase(current_->definition.usage);
    index_.ephemeral_ -= current_->definition.isEphemeral ? 1 : 0;
    index_.places_.erase(uuid_);
    index_.records_.exchange(place_, former, spare_);
    index_.records_.giveBack(place_);
    current_.reset();
    index_.changes_.splice(index_.changes_.end(), changes);
}

void IndexWriter::dropReservation() noexcept {
    if (reservedUsage_.type != UsageType::none)
        index_.usages_.erase(reservedUsage_);
    reservedUsage_.type = UsageType::none;
    if (hasReservedUuid_) {
        index_.places_.erase(uuid_);
        index_.records_.giveBack(place_);
    }
    hasReservedUuid_ = false;
}

} // namespace keyhold
