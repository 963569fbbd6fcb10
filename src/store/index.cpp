// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/index.h"

#include <mutex>

namespace keyhold {

namespace {

Error refusedUsage(const Uuid &owner, const char *verb, const Usage &usage) {
    // The stock driver prints the missing id of a secret without a use this way.
    const std::string id = usage.type == UsageType::none ? "(null)" : usage.id;
    return {ErrorCode::internal,
            "a secret with UUID " + owner.toString() + " " + verb + " for use with " + id};
}

} // namespace

RecordPtr Index::find(const Uuid &uuid) const {
    std::shared_lock lock(mutex_);
    const auto found = records_.find(uuid);
    return found == records_.end() ? nullptr : found->second;
}

RecordPtr Index::find(const Usage &usage) const {
    if (usage.type == UsageType::none)
        return nullptr;
    std::shared_lock lock(mutex_);
    const auto entry = usages_.find(usage);
    if (entry == usages_.end() || !entry->second.isPublished)
        return nullptr;
    const auto found = records_.find(entry->second.uuid);
    return found == records_.end() ? nullptr : found->second;
}

std::vector<RecordPtr> Index::all() const {
    std::shared_lock lock(mutex_);
    std::vector<RecordPtr> out;
    out.reserve(records_.size());
    for (const auto &[uuid, record] : records_) {
        if (record)
            out.push_back(record);
    }
    return out;
}

std::size_t Index::ephemeralCount() const {
    std::shared_lock lock(mutex_);
    return ephemeral_;
}

void Index::fill(std::span<const RecordPtr> records,
                 const std::function<void(const Error &)> &refused) {
    std::unique_lock lock(mutex_);
    records_.reserve(records.size());
    usages_.reserve(records.size());
    for (const RecordPtr &record : records) {
        if (!record)
            continue;
        const auto &[uuid, isEphemeral, isPrivate, description, usage] = record->definition;
        const auto [place, isFirst] = records_.try_emplace(uuid, record);
        if (!isFirst)
            continue; // a file may be listed twice if its name changes meanwhile
        if (usage.type != UsageType::none) {
            const auto [entry, isFree] = usages_.try_emplace(usage, UsageEntry{uuid, true});
            if (!isFree) {
                refused(refusedUsage(entry->second.uuid, "already defined", usage));
                records_.erase(place);
                continue;
            }
        }
        ephemeral_ += isEphemeral ? 1 : 0;
    }
}

std::list<Change> Index::takeChanges() {
    std::list<Change> out;
    std::unique_lock lock(mutex_);
    out.swap(changes_);
    return out;
}

IndexWriter::IndexWriter(Index &index, const Uuid &uuid) : index_(index), uuid_(uuid) {
    std::unique_lock lock(index_.mutex_);
    index_.writerLeft_.wait(lock, [&] { return !index_.busy_.contains(uuid_); });
    index_.busy_.insert(uuid_);
    const auto found = index_.records_.find(uuid_);
    if (found != index_.records_.end())
        current_ = found->second;
}

IndexWriter::~IndexWriter() {
    {
        std::unique_lock lock(index_.mutex_);
        dropReservation();
        index_.busy_.erase(uuid_);
    }
    index_.writerLeft_.notify_all();
}

void IndexWriter::reserve(const SecretDefinition &next) {
    if (current_) {
        const Usage &old = current_->definition.usage;
        if (old.id != next.usage.id)
            throw refusedUsage(uuid_, "is already defined", old);
        if (current_->definition.isPrivate && !next.isPrivate)
            throw Error(ErrorCode::internal, "cannot change private flag on existing secret");
    }

    Usage usage = next.usage; // copied before anything is reserved: nothing may throw in between
    std::unique_lock lock(index_.mutex_);
    dropReservation();
    if (next.usage.type != UsageType::none) {
        const auto [entry, isNew] =
            index_.usages_.try_emplace(next.usage, Index::UsageEntry{uuid_, false});
        if (!isNew && entry->second.uuid != uuid_)
            throw refusedUsage(entry->second.uuid, "already defined", next.usage);
        if (isNew)
            std::swap(reservedUsage_, usage);
    }
    if (!current_)
        hasReservedUuid_ = index_.records_.try_emplace(uuid_, nullptr).second;
}

void IndexWriter::publish(RecordPtr next, std::list<Change> changes) noexcept {
    std::unique_lock lock(index_.mutex_);
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
    index_.records_.find(uuid_)->second = next;
    current_ = std::move(next);
    hasReservedUuid_ = false;
    reservedUsage_.type = UsageType::none;
    index_.changes_.splice(index_.changes_.end(), changes);
}

void IndexWriter::withdraw(std::list<Change> changes) noexcept {
    std::unique_lock lock(index_.mutex_);
    dropReservation();
    if (!current_)
        return;
    if (current_->definition.usage.type != UsageType::none)
        index_.usages_.erase(current_->definition.usage);
    index_.ephemeral_ -= current_->definition.isEphemeral ? 1 : 0;
    index_.records_.erase(uuid_);
    current_.reset();
    index_.changes_.splice(index_.changes_.end(), changes);
}

void IndexWriter::dropReservation() noexcept {
    if (reservedUsage_.type != UsageType::none)
        index_.usages_.erase(reservedUsage_);
    reservedUsage_.type = UsageType::none;
    if (hasReservedUuid_)
        index_.records_.erase(uuid_);
    hasReservedUuid_ = false;
}

} // namespace keyhold
