// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/memory_backend.h"

#include <algorithm>
#include <utility>

namespace keyhold {

namespace {

Revision revisionFrom(const MemoryStorage::Secret &secret) {
    return {secret.revision, true};
}

EncodedValue encoded(const MemoryStorage::Value &value) {
    return {value.format,
            {reinterpret_cast<const std::uint8_t *>(value.bytes.data()), value.bytes.size()}};
}

MemoryStorage::Value copied(const EncodedValue &value) {
    return {value.format, {value.bytes.begin(), value.bytes.end()}};
}

StoredValue lend(const MemoryStorage::Secret &secret, const ListedSecret &listed,
                 const ValueReader &reader) {
    StoredValue out;
    out.revision = revisionFrom(secret);
    if (!secret.value || (listed.forms & only(secret.value->format)) == 0)
        return out;
    out.present = only(secret.value->format);
    try {
        if (reader(encoded(*secret.value)))
            out.format = secret.value->format;
    } catch (const Error &error) {
        out.format = secret.value->format;
        out.unreadable = Error(error.code(), "the value of '" + listed.uuid.toString() +
                                                 "' in memory " + error.message());
    }
    return out;
}

} // namespace

std::vector<ListedSecret> MemoryBackend::list(Strays /*none*/) {
    const std::lock_guard lock(storage_->mutex);
    std::vector<ListedSecret> out;
    for (const auto &[uuid, secret] : storage_->secrets)
        out.push_back({uuid, secret.value ? only(secret.value->format) : ValueFormats{0}});
    known_ = storage_->changes.size();
    return out;
}

std::optional<StoredSecret> MemoryBackend::get(const ListedSecret &secret,
                                               const ValueReader &reader) {
    const std::lock_guard lock(storage_->mutex);
    const auto found = storage_->secrets.find(secret.uuid);
    if (found == storage_->secrets.end())
        return std::nullopt;
    return StoredSecret{found->second.definition, lend(found->second, secret, reader)};
}

std::optional<StoredValue> MemoryBackend::getValue(const ListedSecret &secret,
                                                   const ValueReader &reader) {
    auto stored = get(secret, reader);
    return stored ? std::optional(std::move(stored->value)) : std::nullopt;
}

Revision MemoryBackend::revisionOf(const ListedSecret &secret) {
    const std::lock_guard lock(storage_->mutex);
    const auto found = storage_->secrets.find(secret.uuid);
    return found == storage_->secrets.end() ? Revision() : revisionFrom(found->second);
}

MemoryBackend::Secrets::iterator MemoryBackend::find(const Uuid &uuid,
                                                     std::optional<Revision> seen) const {
    if (storage_->isFailing)
        throw Error(ErrorCode::systemCall, "the storage takes no changes");
    const auto found = storage_->secrets.find(uuid);
    const bool isThere = found != storage_->secrets.end();
    if (isThere ? !seen || !seen->isSurely(revisionFrom(found->second)) : seen.has_value())
        throw ConflictError(ErrorCode::internal, "'" + uuid.toString() + "' is not as seen");
    return found;
}

void MemoryBackend::retire(MemoryStorage::Secret &secret, const FormerJudge &judge) const {
    if (!secret.value)
        return;
    const auto lendFormer = [&](const ValueReader &reader) { reader(encoded(*secret.value)); };
    if (judge(secret.value->format, lendFormer))
        storage_->kept.push_back(secret.value->bytes);
    secret.value.reset();
}

Revision MemoryBackend::note(const Uuid &uuid) {
    const std::uint64_t revision = storage_->changes.size() + 1;
    storage_->changes.push_back({revision, uuid, this});
    storage_->changed.notify_all();
    return {revision, true};
}

Revision MemoryBackend::put(const Uuid &uuid, const SecretChange &change,
                            std::optional<Revision> seen, const FormerJudge &judge) {
    if (beforeChange)
        beforeChange();
    const std::lock_guard lock(storage_->mutex);
    auto found = find(uuid, seen);
    if (found == storage_->secrets.end()) {
        if (!change.definition)
            throw ConflictError(ErrorCode::internal, "'" + uuid.toString() + "' is gone");
        found = storage_->secrets.emplace(uuid, MemoryStorage::Secret{}).first;
    }
    MemoryStorage::Secret &secret = found->second;
    if (change.definition)
        secret.definition = *change.definition;
    if (change.value || change.removesValue)
        retire(secret, judge);
    if (change.value)
        secret.value = copied(*change.value);
    const Revision revision = note(uuid);
    secret.revision = storage_->changes.size();
    return revision;
}

void MemoryBackend::erase(const Uuid &uuid, Revision seen) {
    if (beforeChange)
        beforeChange();
    const std::lock_guard lock(storage_->mutex);
    if (!storage_->secrets.contains(uuid) && !storage_->isFailing)
        return;
    storage_->secrets.erase(find(uuid, seen));
    note(uuid);
}

void MemoryBackend::watch(const std::function<void(const Uuid &uuid)> &changed) {
    watcher_ = {}; // asked to stop and joined
    if (changed)
        watcher_ =
            std::jthread([this, changed](const std::stop_token &stop) { run(stop, changed); });
}

void MemoryBackend::run(const std::stop_token &stop,
                        const std::function<void(const Uuid &uuid)> &changed) {
    std::unique_lock lock(storage_->mutex);
    while (storage_->changed.wait(lock, stop, [&] { return known_ < storage_->changes.size(); })) {
        const MemoryStorage::Change change = storage_->changes.at(known_);
        if (change.by != this) {
            lock.unlock();
            changed(change.uuid);
            lock.lock();
        }
        known_ = std::max(known_, change.revision);
        storage_->changed.notify_all();
    }
}

void MemoryBackend::awaitWatcher() {
    if (!watcher_.joinable())
        throw std::logic_error("nobody watches");
    std::unique_lock lock(storage_->mutex);
    storage_->changed.wait(lock, [&] { return known_ == storage_->changes.size(); });
}

} // namespace keyhold
