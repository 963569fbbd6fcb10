// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/parallel.h"
#include "seal/scratch.h"
#include "store/secret_store.h"

#include <algorithm>
#include <iterator>
#include <new>

namespace keyhold {

namespace {

// The stock driver's words, which people's log filters know.
std::string readingFailed(const Error &error) {
    return "Error reading secret: " + error.fullText();
}

/// `owner` has the use that `refused` defines.
std::string useIsTaken(const Backend &backend, const Uuid &refused, const std::string &owner,
                       const UseTakenError &error) {
    return readingFailed(error) + "; " + inQuotes(owner) + " counts, and " +
           inQuotes(backend.placeOf(refused)) +
           " is not loaded; give it another use or remove it, and reload";
}

/// Does `work` for one secret; what keeps it from being done goes to the log.
template <typename Work>
void doLogged(AdminLog &log, const Uuid &uuid, const Work &work) {
    try {
        work();
    } catch (const Error &error) {
        log.error(readingFailed(error));
    } catch (const std::bad_alloc &) {
        log.error(readingFailed(
            Error(ErrorCode::noMemory, "no memory for secret " + inQuotes(uuid.toString()))));
    }
}

/// The value of a secret that has a definition in the backend and no value there: that of memory,
/// which is stored if the definition says persistent.
ReadMark keepValueOfMemory(Barrier &durable, const OpenedSecret &stored, const Value &value) {
    const ShieldedValue *shielded = value.shielded();
    if (!shielded || stored.definition.isEphemeral)
        return {stored.mark.revision, 0};
    Scratch plain(shielded->size());
    shielded->openInside(stored.definition.uuid, plain);
    return durable.setValue(stored.definition, plain.bytes(), stored.mark);
}

bool isSameReason(const Value &a, const Value &b) {
    return a.isUnreadable() && b.isUnreadable() ? a.reason().message() == b.reason().message()
                                                : true;
}

} // namespace

void SecretStore::load() {
    const auto durable = barrier_.get();
    std::vector<ListedSecret> listed;
    try {
        listed = durable->backend().start();
    } catch (const Error &error) {
        log_.error(readingFailed(error));
        failure_.set(error);
        return follow(*durable);
    }

    constexpr std::size_t kBatch = 16; // a thread that waits for the last one waits 0.1 ms
    std::vector<RecordPtr> records(listed.size());
    parallelFor(
        listed.size(), [&](std::size_t i) { records[i] = readListed(*durable, listed[i]); },
        kBatch);
    UnreadableValues unreadable(log_);
    for (const RecordPtr &record : records) {
        if (record && record->value.isUnreadable())
            unreadable.add(record->definition.uuid, record->value,
                           UnreadableValues::Served::nothing);
        if (record && record->definition.isEphemeral)
            tellHandwritten(record->definition);
    }
    tellUnreadable(unreadable);
    // In the order of the directory: of two files with one use, the first wins, as it does in
    // stock.
    index_.fill(records, [&](const Uuid &uuid, const UseTakenError &error) {
        durable->forget(uuid);
        const Backend &backend = durable->backend();
        log_.error(useIsTaken(backend, uuid, backend.placeOf(error.owner()), error));
    });
    follow(*durable);
}

void SecretStore::follow(Barrier &durable) {
    durable.backend().watch([this](const Uuid &uuid) { applyLogged(uuid); });
}

RecordPtr SecretStore::readListed(Barrier &durable, const ListedSecret &listed) const {
    RecordPtr record;
    doLogged(log_, listed.uuid, [&] {
        if (auto stored = durable.read(listed))
            record = std::make_shared<const Record>(std::move(stored->definition),
                                                    std::move(stored->value), true, stored->mark);
    });
    return record;
}

void SecretStore::reload() {
    // Looked at before the directory: what clients define from here on is not missing there.
    std::vector<Uuid> before;
    for (const RecordPtr &record : index_.all()) {
        if (record->isStored)
            before.push_back(record->definition.uuid);
    }
    const auto durable = barrier_.get();
    Backend &backend = durable->backend();
    std::vector<ListedSecret> present;
    try {
        // A start that failed has not put right what was interrupted before it.
        present = failure_.get() ? backend.start() : backend.list(Strays::told);
    } catch (const Error &error) {
        log_.error(readingFailed(error));
        return;
    }

    std::vector<Uuid> listed;
    listed.reserve(present.size());
    for (const ListedSecret &secret : present)
        listed.push_back(secret.uuid);
    std::sort(listed.begin(), listed.end());
    std::vector<Uuid> candidates;
    std::ranges::copy_if(before, std::back_inserter(candidates), [&](const Uuid &uuid) {
        return !std::binary_search(listed.begin(), listed.end(), uuid);
    });
    if (present.empty() &&
        std::ranges::any_of(candidates, [&](const Uuid &uuid) { return isMissing(uuid); })) {
        log_.error(inQuotes(backend.place()) +
                   " holds no definition any more, as if it were not mounted; all secrets stay as "
                   "they are; restart if they were removed on purpose");
        return;
    }
    // What is gone first: its use may have moved to another file.
    for (const ListedSecret &secret : present) {
        const RecordPtr record = index_.find(secret.uuid);
        if (!record || !record->isStored || !durable->isAsRead(secret, *record))
            candidates.push_back(secret.uuid);
    }
    UnreadableValues unreadable(log_);
    std::vector<Uuid> refused;
    refused.reserve(candidates.size());
    for (const Uuid &uuid : candidates) {
        try {
            IndexWriter writer(index_, uuid);
            reconcile(writer, uuid, unreadable);
        } catch (const std::exception &) {
            refused.push_back(uuid);
        }
    }
    // Again: a use that was taken may have been given up by a file further down.
    for (const Uuid &uuid : refused) {
        IndexWriter writer(index_, uuid);
        reconcileLogged(writer, uuid, unreadable);
    }
    tellUnreadable(unreadable);
    failure_.set(std::nullopt);
}

void SecretStore::tellUnreadable(const UnreadableValues &unreadable) {
    unreadable.tell(toldUnreadable_.exchange(unreadable.counts()));
}

void SecretStore::apply(const Uuid &uuid) {
    UnreadableValues unreadable(log_);
    IndexWriter writer(index_, uuid);
    reconcile(writer, uuid, unreadable);
    unreadable.tell();
}

void SecretStore::applyLogged(const Uuid &uuid) noexcept {
    try {
        IndexWriter writer(index_, uuid);
        reconcileLogged(writer, uuid);
    } catch (const std::exception &exception) {
        log_.failure("a change of a secret by others was not taken over; reload: ", exception);
    }
}

bool SecretStore::isMissing(const Uuid &uuid) {
    // With the secret to itself: not one that a client is removing.
    const IndexWriter writer(index_, uuid);
    if (!writer.current() || !writer.current()->isStored)
        return false;
    try {
        return !barrier_.get()->read(uuid);
    } catch (const Error &) {
        return false; // there, if not readable
    }
}

void SecretStore::reconcileLogged(IndexWriter &writer, const Uuid &uuid) {
    UnreadableValues unreadable(log_);
    reconcileLogged(writer, uuid, unreadable);
    unreadable.tell();
}

void SecretStore::reconcileLogged(IndexWriter &writer, const Uuid &uuid,
                                  UnreadableValues &unreadable) {
    doLogged(log_, uuid, [&] {
        try {
            reconcile(writer, uuid, unreadable);
        } catch (const UseTakenError &error) {
            const auto durable = barrier_.get();
            const Backend &backend = durable->backend();
            const RecordPtr owner = index_.find(error.owner());
            log_.error(useIsTaken(backend, uuid,
                                  owner && owner->isStored ? backend.placeOf(error.owner())
                                                           : error.owner().toString(),
                                  error));
        }
    });
}

void SecretStore::reconcile(IndexWriter &writer, const Uuid &uuid, UnreadableValues &unreadable) {
    const RecordPtr current = writer.current();
    const auto durable = barrier_.get();
    std::optional<OpenedSecret> stored;
    try {
        stored = durable->read(uuid);
    } catch (const Error &error) {
        log_.error(readingFailed(error));
        return;
    }

    if (!stored) {
        if (current && current->isStored)
            writer.withdraw({Change{Change::Kind::undefined, uuid, current->definition.usage}});
        return;
    }

    try {
        writer.reserve(stored->definition);
    } catch (const UseTakenError &) {
        if (!current)
            durable->forget(uuid);
        throw;
    }
    Value value = std::move(stored->value);
    ReadMark mark = stored->mark;
    if (value.isUnreadable()) {
        using Served = UnreadableValues::Served;
        const bool hasFormer = current && current->value.shielded();
        unreadable.add(uuid, value, hasFormer ? Served::formerValue : Served::nothing);
        if (hasFormer)
            value = current->value;
    }
    const bool isOfMemory = current && (!current->isStored || current->definition.isEphemeral);
    if (isOfMemory && value.isNone() && !current->value.isNone()) {
        value = current->value;
        mark = keepValueOfMemory(*durable, *stored, value);
    }

    const Usage usage = stored->definition.usage;
    const bool isNew = !current || current->definition != stored->definition || !current->isStored;
    const bool isValueNew = current ? !isSameValue(uuid, current->value, value) : !value.isNone();
    if (!isNew && !isValueNew && isSameReason(current->value, value)) {
        current->mark.set(mark);
        return;
    }
    if (isNew && stored->definition.isEphemeral)
        tellHandwritten(stored->definition);
    std::list<Change> changes;
    if (isNew)
        changes.push_back({Change::Kind::defined, uuid, usage});
    if (isValueNew)
        changes.push_back({Change::Kind::valueChanged, uuid, usage});
    writer.publish(
        std::make_shared<const Record>(std::move(stored->definition), std::move(value), true, mark),
        std::move(changes));
}

void SecretStore::tellHandwritten(const SecretDefinition &definition) const {
    log_.warning("secret " + inQuotes(definition.uuid.toString()) +
                 " is ephemeral and has a definition in " +
                 inQuotes(barrier_.get()->backend().place()) +
                 ", which is left as it is; what clients change of this secret stays in memory");
}

} // namespace keyhold
