// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/secret_store.h"

#include "seal/scratch.h"

namespace keyhold {

namespace {

[[noreturn]] void raiseNoSuchUuid(const Uuid &uuid, SourcePlace place = SourcePlace::current()) {
    throw Error(ErrorCode::notFound, "no secret with matching uuid '" + uuid.toString() + "'", 0,
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

SecretStore::SecretStore(std::shared_ptr<Backend> backend, AdminLog &log)
    : log_(log),
      backend_(std::move(backend)) {}

std::shared_ptr<Backend> SecretStore::backend() const {
    const std::lock_guard lock(mutex_);
    return backend_;
}

std::optional<Error> SecretStore::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
}

void SecretStore::setTrouble(std::optional<Error> trouble) {
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(trouble);
}

void SecretStore::replaceBackend(std::shared_ptr<Backend> backend) {
    {
        const std::lock_guard lock(mutex_);
        backend_.swap(backend);
    }
    // What is reencryptable the new one learns by reading.
    for (const RecordPtr &record : index_.all())
        record->files.set(kUnknownRevision);
}

RecordPtr SecretStore::get(const Uuid &uuid) const {
    if (RecordPtr record = index_.find(uuid))
        return record;
    if (const auto cause = trouble())
        throw *cause;
    raiseNoSuchUuid(uuid);
}

RecordPtr SecretStore::get(const Usage &usage) const {
    if (RecordPtr record = index_.find(usage))
        return record;
    if (const auto cause = trouble())
        throw *cause;
    throw Error(ErrorCode::notFound, "no secret with matching usage '" + usage.id + "'");
}

RecordSnapshot SecretStore::all() const {
    if (const auto cause = trouble())
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

RecordPtr SecretStore::define(const SecretDefinition &definition, const AccessCheck &check) {
    const auto writer = definitionWriter(definition, check);
    writer->reserve(definition);

    auto next = std::make_shared<Record>();
    next->definition = definition;
    bool wasStored = false;
    bool wasHandwritten = false;
    if (const RecordPtr &current = writer->current()) {
        next->value = current->value;
        wasStored = current->isStored;
        wasHandwritten = current->isStored && current->definition.isEphemeral;
    }
    // Files of an ephemeral secret are somebody else's: nothing is written to them.
    const bool mustStore = !definition.isEphemeral;
    next->isStored = mustStore || wasHandwritten;

    // Without a list of what is stored, a definition could replace one that nobody has seen.
    if (const auto cause = trouble(); cause && mustStore)
        throw *cause;

    auto changes = changeOf(Change::Kind::defined, definition);
    const auto durable = backend();
    changeStored(*writer, definition.uuid, [&] {
        if (mustStore && wasHandwritten)
            storeHandwritten(*durable, *next);
        else if (mustStore && wasStored)
            redefineStored(*durable, *next);
        else if (mustStore)
            createStored(*durable, *next);
        else if (wasStored && !wasHandwritten)
            removeStored(*durable, *next);
    });
    writer->publish(next, std::move(changes));
    return next;
}

void SecretStore::storeHandwritten(Backend &durable, Record &next) {
    const Uuid &uuid = next.definition.uuid;
    std::optional<StoredSecret> stored;
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
        durable.removeValue(uuid);
    }
    redefineStored(durable, next);
}

void SecretStore::redefineStored(Backend &durable, Record &next) {
    if (!durable.replaceDefinition(next.definition))
        createStored(durable, next);
}

void SecretStore::createStored(Backend &durable, Record &next) {
    if (const ShieldedValue *shielded = next.value.shielded()) {
        Scratch plain(shielded->size());
        shielded->open(next.definition.uuid, plain.bytes());
        const std::span<const std::uint8_t> bytes = plain.bytes();
        durable.create(next.definition, &bytes);
        return;
    }
    next.value = durable.create(next.definition, nullptr);
}

void SecretStore::removeStored(Backend &durable, const Record &next) {
    if (next.value.isUnreadable())
        throw Error(next.value.reason().code(),
                    "secret '" + next.definition.uuid.toString() +
                        "' cannot become ephemeral: " + next.value.reason().message(),
                    0, next.value.reason().place());
    durable.remove(next.definition.uuid);
}

void SecretStore::setValue(const Uuid &uuid, std::span<const std::uint8_t> value,
                           const AccessCheck &check) {
    const auto writer = checkedWriter(uuid, check);
    if (value.size() > kMaxValueSize)
        throw Error(ErrorCode::invalidArgument, "value of secret '" + uuid.toString() +
                                                    "' is larger than " +
                                                    std::to_string(kMaxValueSize) + " bytes");
    const RecordPtr &current = writer->current();
    auto next = std::make_shared<Record>(*current);
    next->value = value.empty() ? Value() : Value::of(ShieldedValue::seal(uuid, value));

    auto changes = changeOf(Change::Kind::valueChanged, current->definition);
    if (current->isStored && !current->definition.isEphemeral) {
        const auto durable = backend();
        changeStored(*writer, uuid, [&] {
            if (value.empty())
                durable->removeValue(uuid);
            else
                durable->replaceValue(current->definition, value);
        });
    }
    writer->publish(std::move(next), std::move(changes));
}

void SecretStore::undefine(const Uuid &uuid, const AccessCheck &check) {
    const auto writer = checkedWriter(uuid, check);
    auto changes = changeOf(Change::Kind::undefined, writer->current()->definition);
    if (writer->current()->isStored)
        changeStored(*writer, uuid, [&] { backend()->remove(uuid); });
    writer->withdraw(std::move(changes));
}

} // namespace keyhold
