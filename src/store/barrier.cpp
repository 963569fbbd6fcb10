// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/barrier.h"

#include "seal/missing_key.h"
#include "seal/scratch.h"

#include <algorithm>

namespace keyhold {

namespace {

void requireStorable(const SecretDefinition &definition) {
    if (definition.isEphemeral)
        throw Error(ErrorCode::internal, "the value of ephemeral secret " +
                                             inQuotes(definition.uuid.toString()) +
                                             " is not to be stored");
}

/// Opens one value, for as long as it lives.
class Opener {
  public:
    Opener(const SealingPolicy &policy, const Uuid &uuid) : policy_(policy), uuid_(uuid) {}

    [[nodiscard]] ValueReader reader() {
        return [this](const EncodedValue &encoded) {
            cause_.reset();
            try {
                decoded_ = policy_.decode(encoded.format, uuid_, encoded.bytes);
            } catch (const MissingKeyError &error) {
                cause_ = {error.cause(), error.keyId()};
                throw;
            } catch (const ValueError &error) {
                cause_ = {error.cause(), std::nullopt};
                throw;
            }
            return decoded_.has_value();
        };
    }
    /// What `stored`, whose values this has read, is.
    [[nodiscard]] Value value(const StoredValue &stored) {
        if (stored.unreadable)
            return Value::unreadable(*stored.unreadable, std::move(cause_));
        return decoded_ ? Value::of(std::move(decoded_->value)) : Value();
    }
    [[nodiscard]] bool needsReencryption(const StoredValue &stored) const {
        if (stored.unreadable || !decoded_)
            return false;
        // An interrupted change to plain leaves the former value beside the new one.
        const bool hasFormer = (stored.present & formatsBehind(*stored.format)) != 0;
        return decoded_->needsReencryption || (policy_.unsealsAll() && hasFormer);
    }

  private:
    const SealingPolicy &policy_;
    const Uuid &uuid_;
    std::optional<SealingPolicy::Decoded> decoded_;
    std::optional<UnreadableCause> cause_;
};

ValueFormats formatOf(const StoredValue &stored) {
    return stored.format ? only(*stored.format) : 0;
}

/// Of the values of `uuid`; not asked to open the one of the format that is re-encrypted.
FormerJudge judgeOf(const SealingPolicy &policy, const Uuid &uuid,
                    std::optional<ValueFormat> reencrypted = {}) {
    return [&policy, &uuid, reencrypted](ValueFormat format, const auto &lend) -> const char * {
        if (format == ValueFormat::aes256cbc && reencrypted)
            return "was re-encrypted, and nothing in it proves that the key was the right one";
        if (format == ValueFormat::aes256cbc && !policy.keyring().missing().empty())
            return "may be under a key that could not be read when its secret was changed";
        if (format == reencrypted)
            return nullptr;
        try {
            lend([&](const EncodedValue &encoded) {
                return policy.decodeAny(encoded.format, uuid, encoded.bytes).has_value();
            });
        } catch (const Error &) {
            return "could not be read when its secret was changed";
        }
        return nullptr;
    };
}

} // namespace

std::optional<OpenedSecret> Barrier::read(const ListedSecret &secret) {
    const Policy policy = policy_->get();
    Opener opener(*policy, secret.uuid);
    auto stored = backend_->get(secret, opener.reader());
    const bool isNoted =
        stored && (opener.needsReencryption(stored->value) ||
                   (stored->value.format && policy->keepsNewFromStoring(*stored->value.format)));
    noteFormat(secret.uuid, isNoted ? stored->value.format : std::nullopt);
    if (!stored)
        return std::nullopt;
    Value value = opener.value(stored->value);
    // A value that could not be had is tried again.
    const std::uint64_t readBy = value.isUnreadable() ? 0 : policy->hash();
    return OpenedSecret{std::move(stored->definition),
                        std::move(value),
                        {stored->value.revision, readBy, formatOf(stored->value)}};
}

std::optional<OpenedSecret> Barrier::readUnloaded(const Uuid &uuid) {
    if (isExact())
        return std::nullopt; // create() finds out by a conflict
    try {
        // Looked for first: values without a definition are no secret.
        return read(ListedSecret{uuid}) ? read(uuid) : std::nullopt;
    } catch (const Error &error) {
        if (error.code() == ErrorCode::noMemory)
            throw;
        return std::nullopt; // a definition that does not load owns no value
    }
}

bool Barrier::isAsRead(const SealingPolicy &policy, const ListedSecret &secret,
                       const Record &record) const {
    const ReadMark mark = record.mark.get();
    return mark.policy == policy.hash() && mark.revision.isSurely(backend_->revisionOf(secret));
}

bool Barrier::isAsRead(const ListedSecret &secret, const Record &record) const {
    return isAsRead(*policy_->get(), secret, record);
}

Revision Barrier::ofClient(ReadMark seen) const {
    return isExact() ? seen.revision : Revision();
}

ReadMark Barrier::putSealed(const SealingPolicy &policy, const Uuid &uuid,
                            const SecretDefinition *definition, std::span<const std::uint8_t> plain,
                            std::optional<Revision> seen, const FormerJudge &judge) {
    const ValueFormat format = policy.formatOfNew();
    requireNoSealed(policy);
    ReadMark mark{{}, policy.hash(), only(format)};
    policy.encode(format, uuid, plain, [&](std::span<const std::uint8_t> text) {
        SecretChange change{definition, EncodedValue{format, text}};
        mark.revision = backend_->put(uuid, change, seen, judge);
    });
    noteFormat(uuid, std::nullopt);
    return mark;
}

ReadMark Barrier::createSealed(const SecretDefinition &definition,
                               std::span<const std::uint8_t> plain) {
    requireStorable(definition);
    const Policy policy = policy_->get();
    return putSealed(*policy, definition.uuid, &definition, plain, std::nullopt,
                     judgeOf(*policy, definition.uuid));
}

ReadMark Barrier::create(const SecretDefinition &definition, const Value &value) {
    const Uuid &uuid = definition.uuid;
    if (const ShieldedValue *shielded = value.shielded()) {
        Scratch plain(shielded->size());
        shielded->openInside(uuid, plain);
        return createSealed(definition, plain.bytes());
    }
    const Policy policy = policy_->get();
    return {backend_->put(uuid, {.definition = &definition}, std::nullopt, judgeOf(*policy, uuid)),
            policy->hash()};
}

ReadMark Barrier::redefine(const SecretDefinition &definition, ReadMark seen) {
    const Policy policy = policy_->get();
    return {backend_->put(definition.uuid, {.definition = &definition}, ofClient(seen),
                          judgeOf(*policy, definition.uuid)),
            seen.policy, seen.format};
}

ReadMark Barrier::setValue(const SecretDefinition &definition, std::span<const std::uint8_t> plain,
                           ReadMark seen) {
    requireStorable(definition);
    const Uuid &uuid = definition.uuid;
    const Policy policy = policy_->get();
    try {
        return putSealed(*policy, uuid, nullptr, plain, ofClient(seen), judgeOf(*policy, uuid));
    } catch (const ConflictError &) {
        if (isExact())
            throw;
        return createSealed(definition, plain);
    }
}

ReadMark Barrier::removeValue(const Uuid &uuid, ReadMark seen) {
    const Policy policy = policy_->get();
    const Revision revision =
        backend_->put(uuid, {.removesValue = true}, ofClient(seen), judgeOf(*policy, uuid));
    noteFormat(uuid, std::nullopt);
    return {revision, policy->hash()};
}

void Barrier::erase(const Uuid &uuid, ReadMark seen) {
    backend_->erase(uuid, ofClient(seen));
    noteFormat(uuid, std::nullopt);
}

void Barrier::requireNoSealed(const SealingPolicy &policy) const {
    if (!policy.rules().isPlainByDefault)
        return;
    const MutexLock lock(otherFormatsMutex_);
    const auto sealed = std::ranges::find_if(
        otherFormats_, [&](const auto &noted) { return policy.keepsNewFromStoring(noted.second); });
    if (sealed != otherFormats_.end())
        throw Error(ErrorCode::invalidEncryptionKey,
                    "value is not stored in plain beside sealed ones, such as " +
                        inQuotes(backend_->placeOf(sealed->first, sealed->second)) + ": " +
                        policy.rules().complaint);
}

std::optional<ValueFormat> Barrier::formatOfNew() const {
    if (backend_->isReadOnly())
        return std::nullopt;
    try {
        const Policy policy = policy_->get();
        requireNoSealed(*policy);
        return policy->formatOfNew();
    } catch (const Error &) {
        return std::nullopt;
    }
}

void Barrier::noteFormat(const Uuid &uuid, std::optional<ValueFormat> format) {
    // The usual case at each of a million readings: there is nothing to forget.
    if (!format && !hasOtherFormats_)
        return;
    const MutexLock lock(otherFormatsMutex_);
    if (format)
        otherFormats_[uuid] = *format;
    else
        otherFormats_.erase(uuid);
    hasOtherFormats_ = !otherFormats_.empty();
}

std::optional<ValueFormat> Barrier::reencryptableFormat(const Uuid &uuid) const {
    const MutexLock lock(otherFormatsMutex_);
    const auto found = otherFormats_.find(uuid);
    return found == otherFormats_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Uuid> Barrier::reencryptable() const {
    if (backend_->isReadOnly() || policy_->get()->rules().isPlainByDefault)
        return {};
    const MutexLock lock(otherFormatsMutex_);
    std::vector<Uuid> uuids;
    uuids.reserve(otherFormats_.size());
    for (const auto &[uuid, format] : otherFormats_)
        uuids.push_back(uuid);
    return uuids;
}

std::optional<Barrier::Reencryptable>
Barrier::findReencryptable(const SealingPolicy &policy, const Uuid &uuid, const Record *record) {
    const ListedSecret secret{uuid, kAllForms};
    // A revision that proves anything is of a secret with one value.
    if (record && record->value.shielded()) {
        const auto format = reencryptableFormat(uuid);
        if (format && isAsRead(policy, secret, *record))
            return Reencryptable{record->value, *format, only(*format),
                                 record->mark.get().revision};
    }
    Opener opener(policy, uuid);
    const auto stored = backend_->getValue(secret, opener.reader());
    if (stored && stored->unreadable)
        throw Error(*stored->unreadable);
    if (!stored || !opener.needsReencryption(*stored))
        return std::nullopt;
    return Reencryptable{opener.value(*stored), *stored->format, stored->present, stored->revision};
}

bool Barrier::reencrypt(const Uuid &uuid, const Record *record) {
    const Policy policy = policy_->get();
    const auto found = findReencryptable(*policy, uuid, record);
    if (!found) {
        noteFormat(uuid, std::nullopt);
        return false;
    }
    if ((found->present & only(ValueFormat::aes256cbc)) != 0)
        requireEveryAes256CbcOpens(policy);
    if (!found->revision.isKnown())
        throw Error(ErrorCode::internal,
                    "nothing would show that somebody changes it at the same time");
    const ShieldedValue &value = *found->value.shielded();
    Scratch plain(value.size());
    value.openInside(uuid, plain);
    const ReadMark mark = putSealed(*policy, uuid, nullptr, plain.bytes(), found->revision,
                                    judgeOf(*policy, uuid, found->format));
    if (record)
        record->mark.set(mark);
    return true;
}

void Barrier::requireEveryAes256CbcOpens(const Policy &policy) {
    if (const std::string &missing = policy->keyring().missing(); !missing.empty())
        throw Error(ErrorCode::invalidEncryptionKey,
                    "it was encrypted by libvirt, which leaves no way to tell a wrong key, and a "
                    "configured key could not be read: " +
                        missing);
    if (judgedBy_.lock() != policy) {
        misfit_.clear();
        const auto listed = backend_->list(Strays::passedOver);
        const auto misfit = std::ranges::find_if(listed, [&](const ListedSecret &secret) {
            if ((secret.forms & only(ValueFormat::aes256cbc)) == 0)
                return false;
            Opener opener(*policy, secret.uuid);
            const auto stored =
                backend_->getValue({secret.uuid, only(ValueFormat::aes256cbc)}, opener.reader());
            return stored && stored->unreadable;
        });
        if (misfit != listed.end())
            misfit_ = backend_->placeOf(misfit->uuid, ValueFormat::aes256cbc);
        judgedBy_ = policy;
    }
    if (!misfit_.empty())
        throw Error(ErrorCode::invalidEncryptionKey,
                    "it was encrypted by libvirt, which leaves no way to tell a wrong key, and " +
                        inQuotes(misfit_) +
                        " cannot be opened; put the right key in place, or move that file to "
                        "another directory, and reload");
}

} // namespace keyhold
