// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/secret_store.h"

#include "seal/scratch.h"

namespace keyhold {

namespace {

[[noreturn]] void raiseNoSuchUuid(const Uuid &uuid, SourcePlace place = SourcePlace::current()) {
    throw Error(ErrorCode::notFound, "no secret with matching uuid " + inQuotes(uuid.toString()), 0,
                place);
}

bool haveSameAccess(const SecretDefinition &a, const SecretDefinition &b) {
    return a.usage == b.usage && a.isPrivate == b.isPrivate && a.isEphemeral == b.isEphemeral;
}

// The one redefinition that changes what an access rule can see: the id stays, the type changes.
bool changesType(const SecretDefinition &from, const SecretDefinition &to) {
    return from.usage.type != to.usage.type && from.usage.id == to.usage.id;
}

std::list<Change> changeOf(Change::Kind kind, const SecretDefinition &definition) {
    return {Change{kind, definition.uuid, definition.usage}};
}

} // namespace

SecretStore::SecretStore(std::shared_ptr<Backend> backend,
                         std::shared_ptr<const CurrentPolicy> policy, AdminLog &log)
    : log_(log),
      policy_(std::move(policy)),
      barrier_(std::make_shared<Barrier>(std::move(backend), policy_)) {}

SecretStore::~SecretStore() {
    barrier_.get()->backend().watch(nullptr);
}

void SecretStore::replaceBackend(std::shared_ptr<Backend> backend) {
    const auto next = std::make_shared<Barrier>(std::move(backend), policy_);
    barrier_.get()->backend().watch(nullptr);
    barrier_.set(next);
    follow(*next);
    // What is reencryptable the new one learns by reading.
    for (const RecordPtr &record : index_.all())
        record->mark.set({});
}

RecordPtr SecretStore::get(const Uuid &uuid) const {
    if (RecordPtr record = index_.find(uuid))
        return record;
    if (const auto cause = failure_.get())
        throw *cause;
    raiseNoSuchUuid(uuid);
}

RecordPtr SecretStore::get(const Usage &usage) const {
    if (RecordPtr record = index_.find(usage))
        return record;
    if (const auto cause = failure_.get())
        throw *cause;
    throw Error(ErrorCode::notFound, "no secret with matching usage " + inQuotes(usage.id));
}

RecordSnapshot SecretStore::all() const {
    if (const auto cause = failure_.get())
        throw *cause;
    return index_.all();
}

std::unique_ptr<IndexWriter> SecretStore::checkedWriter(const Uuid &uuid,
                                                        const AccessCheck &check) {
    for (;;) {
        const RecordPtr seen = get(uuid);
        check(seen->definition);
        auto writer = std::make_unique<IndexWriter>(index_, uuid);
        if (!writer->current())
            raiseNoSuchUuid(uuid);
        if (haveSameAccess(writer->current()->definition, seen->definition))
            return writer;
    }
}

std::unique_ptr<IndexWriter> SecretStore::definitionWriter(const SecretDefinition &definition,
                                                           const AccessCheck &check) {
    check(definition);
    for (;;) {
        const RecordPtr seen = index_.find(definition.uuid);
        if (seen && changesType(seen->definition, definition))
            check(seen->definition);
        auto writer = std::make_unique<IndexWriter>(index_, definition.uuid);
        const RecordPtr &current = writer->current();
        if (!current || !changesType(current->definition, definition) ||
            (seen && haveSameAccess(seen->definition, current->definition)))
            return writer;
    }
}

template <typename Work>
void SecretStore::changeStored(IndexWriter &writer, const Uuid &uuid, const Work &work) {
    try {
        work();
    } catch (const RollbackFailedError &) {
        reconcileLogged(writer, uuid);
        throw;
    } catch (const Error &) {
        throw; // nothing has changed
    } catch (const std::exception &) {
        reconcileLogged(writer, uuid); // no memory: how far it came, the backend can tell
        throw;
    }
}

void SecretStore::raiseStillChanged(const Uuid &uuid) {
    throw Error(ErrorCode::internal, "secret " + inQuotes(uuid.toString()) +
                                         " was changed by others each time that it was about to "
                                         "be changed; try again");
}

RecordPtr SecretStore::define(const SecretDefinition &definition, const AccessCheck &check) {
    return retryConflicts(definition.uuid, [&] { return tryDefine(definition, check); });
}

RecordPtr SecretStore::tryDefine(const SecretDefinition &definition, const AccessCheck &check) {
    const auto writer = definitionWriter(definition, check);
    writer->reserve(definition);

    const RecordPtr &current = writer->current();
    const bool wasStored = current && current->isStored;
    const bool wasHandwritten = wasStored && current->definition.isEphemeral;
    // Files of an ephemeral secret are somebody else's: nothing is written to them.
    const bool mustStore = !definition.isEphemeral;
    const auto next = std::make_shared<Record>(definition, current ? current->value : Value(),
                                               mustStore || wasHandwritten);

    // Without a list of what is stored, a definition could replace one that nobody has seen.
    if (const auto cause = failure_.get(); cause && mustStore)
        throw *cause;

    auto changes = changeOf(Change::Kind::defined, definition);
    const auto durable = barrier_.get();
    changeStored(*writer, definition.uuid, [&] {
        if (mustStore && wasHandwritten)
            storeHandwritten(*durable, *next);
        else if (mustStore && wasStored)
            redefineStored(*durable, *next, current->mark.get());
        else if (mustStore)
            createStored(*durable, *next);
        else if (wasStored && !wasHandwritten)
            removeStored(*durable, *current);
    });
    writer->publish(next, std::move(changes));
    return next;
}

void SecretStore::storeHandwritten(Barrier &durable, Record &next) {
    const Uuid &uuid = next.definition.uuid;
    std::optional<OpenedSecret> stored;
    try {
        stored = durable.read(uuid);
    } catch (const Error &error) {
        if (error.code() == ErrorCode::noMemory)
            throw;
        // A definition that does not load owns no value.
    }
    if (!stored)
        return createStored(durable, next);
    if (!isSameValue(uuid, stored->value, next.value)) {
        if (!next.value.isNone())
            return createStored(durable, next);
        stored->mark = durable.removeValue(uuid, stored->mark);
    }
    redefineStored(durable, next, stored->mark);
}

void SecretStore::redefineStored(Barrier &durable, Record &next, ReadMark seen) {
    try {
        next.mark.set(durable.redefine(next.definition, seen));
    } catch (const ConflictError &) {
        if (durable.isExact())
            throw;
        createStored(durable, next); // the definition has gone
    }
}

void SecretStore::createStored(Barrier &durable, Record &next) {
    if (!next.value.shielded()) {
        // What a redefinition could not do, had it been loaded, this one cannot do either.
        const auto unloaded = durable.readUnloaded(next.definition.uuid);
        const bool isTaken = unloaded && unloaded->definition.usage == next.definition.usage &&
                             (next.definition.isPrivate || !unloaded->definition.isPrivate);
        next.value = isTaken ? unloaded->value : Value();
        if (!next.value.isNone()) {
            next.mark.set(durable.redefine(next.definition, unloaded->mark));
            return;
        }
    }
    next.mark.set(durable.create(next.definition, next.value));
}

void SecretStore::removeStored(Barrier &durable, const Record &current) {
    const Uuid &uuid = current.definition.uuid;
    if (current.value.isUnreadable())
        throw Error(current.value.reason().code(),
                    "secret " + inQuotes(uuid.toString()) +
                        " cannot become ephemeral: " + current.value.reason().message(),
                    0, current.value.reason().place());
    durable.erase(uuid, current.mark.get());
}

void SecretStore::setValue(const Uuid &uuid, std::span<const std::uint8_t> value,
                           const AccessCheck &check) {
    retryConflicts(uuid, [&] {
        const auto writer = checkedWriter(uuid, check);
        if (value.size() > kMaxValueSize)
            throw Error(ErrorCode::invalidArgument, "value of secret " + inQuotes(uuid.toString()) +
                                                        " is larger than " +
                                                        std::to_string(kMaxValueSize) + " bytes");
        const RecordPtr &current = writer->current();
        const auto next = std::make_shared<Record>(
            current->definition,
            value.empty() ? Value() : Value::of(ShieldedValue::seal(uuid, value)),
            current->isStored);

        auto changes = changeOf(Change::Kind::valueChanged, current->definition);
        if (current->isStored && !current->definition.isEphemeral) {
            const auto durable = barrier_.get();
            changeStored(*writer, uuid, [&] {
                const ReadMark seen = current->mark.get();
                next->mark.set(value.empty() ? durable->removeValue(uuid, seen)
                                             : durable->setValue(current->definition, value, seen));
            });
        }
        writer->publish(next, std::move(changes));
    });
}

void SecretStore::undefine(const Uuid &uuid, const AccessCheck &check) {
    retryConflicts(uuid, [&] {
        const auto writer = checkedWriter(uuid, check);
        const RecordPtr &current = writer->current();
        auto changes = changeOf(Change::Kind::undefined, current->definition);
        if (current->isStored)
            changeStored(*writer, uuid, [&] { barrier_.get()->erase(uuid, current->mark.get()); });
        writer->withdraw(std::move(changes));
    });
}

} // namespace keyhold
