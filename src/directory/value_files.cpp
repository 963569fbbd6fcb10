// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/directory_backend.h"
#include "directory/secret_files.h"
#include "os/durable_file.h"
#include "seal/scratch.h"

#include <algorithm>

/// The value files of a directory: which one counts, how one takes the place of another.
namespace keyhold {

DirectoryBackend::ValueNotes DirectoryBackend::notesOf(const SealingPolicy &policy) const {
    return {FingerprintMaker(policy.hash(), fingerprintClock())};
}

Value DirectoryBackend::readValue(const SealingPolicy &policy, const ListedSecret &secret,
                                  ValueNotes &notes) {
    Value value;
    const auto counting = countingFormat(secret.forms, [&](ValueFormat form) {
        value = readForm(policy, secret.uuid, form, notes);
        return !value.isNone();
    });
    // An interrupted change to plain leaves the former file beside the new one.
    if (value.shielded() && policy.unsealsAll() &&
        hasFormatBehind(*directory_, secret.uuid, secret.forms, *counting))
        notes.needsReencryption = true;
    return value;
}

Value DirectoryBackend::readForm(const SealingPolicy &policy, const Uuid &uuid, ValueFormat form,
                                 ValueNotes &notes) {
    constexpr const char *remedy = "; put the file right and reload, or set the value again";
    const std::string name = layout::valueName(uuid, form);
    std::optional<ValueFile> file;
    notes.looked |= only(form);
    try {
        file = readEncodedValue(*directory_, uuid, form);
    } catch (const Error &error) {
        return Value::unreadable(
            {ErrorCode::valueUnreadable, error.fullText() + remedy, 0, error.place()});
    }
    if (!file)
        return {};
    notes.files.addValue(static_cast<unsigned>(form), file->status);
    notes.seen.at(static_cast<std::size_t>(form)) = file->status;
    try {
        auto value = policy.decode(form, uuid, file->bytes(), notes.needsReencryption);
        if (!value)
            return {};
        return Value::of(std::move(*value));
    } catch (const Error &error) {
        const std::string text = "'" + directory_->pathOf(name) + "' " + error.fullText();
        if (error.code() == ErrorCode::invalidEncryptionKey)
            return Value::unreadable({error.code(), text, 0, error.place()});
        return Value::unreadable({ErrorCode::valueUnreadable, text + remedy, 0, error.place()});
    }
}

void DirectoryBackend::noteReencryption(const Uuid &uuid, bool needsReencryption) {
    // The usual case at each of a million readings: there is nothing to forget.
    if (!needsReencryption && !hasReencryptable_)
        return;
    const std::lock_guard lock(reencryptableMutex_);
    if (needsReencryption)
        reencryptable_.insert(uuid);
    else
        reencryptable_.erase(uuid);
    hasReencryptable_ = !reencryptable_.empty();
}

std::vector<Uuid> DirectoryBackend::reencryptable() const {
    const std::lock_guard lock(reencryptableMutex_);
    return {reencryptable_.begin(), reencryptable_.end()};
}

bool DirectoryBackend::hasValueFile(const Uuid &uuid) const {
    return std::ranges::any_of(kValueFormats, [&](ValueFormat form) {
        return directory_->contains(layout::valueName(uuid, form));
    });
}

void DirectoryBackend::writeValueFile(const std::string &name, const SealingPolicy &policy,
                                      ValueFormat form, const Uuid &uuid,
                                      std::span<const std::uint8_t> value) {
    policy.encode(form, uuid, value, [&](std::span<const std::uint8_t> text) {
        writeSyncedFile(*directory_, name, text);
    });
}

std::string DirectoryBackend::freeQuarantineName(const Uuid &uuid, ValueFormat form) const {
    unsigned n = 1;
    while (directory_->contains(layout::asideName(uuid, form, n)))
        ++n;
    return layout::asideName(uuid, form, n);
}

void DirectoryBackend::reportQuarantined(const Uuid &uuid, ValueFormat form,
                                         const std::string &aside, const char *reason) {
    log_.warning("'" + directory_->pathOf(layout::valueName(uuid, form)) + "' " + reason +
                 "; it is now '" + directory_->pathOf(aside) + "'");
}

bool DirectoryBackend::quarantineOrphans(const Uuid &uuid) {
    const bool hasSecret = directory_->contains(layout::definitionName(uuid));
    const char *reason = hasSecret ? "was not the value of its secret" : "belonged to no secret";
    bool hadSome = false;
    for (const ValueFormat form : kValueFormats) {
        const std::string name = layout::valueName(uuid, form);
        if (!directory_->contains(name))
            continue;
        const std::string aside = freeQuarantineName(uuid, form);
        if (directory_->rename(name, aside)) {
            reportQuarantined(uuid, form, aside, reason);
            hadSome = true;
        }
    }
    return hadSome;
}

DirectoryBackend::FormerValue DirectoryBackend::formerOf(const SealingPolicy &policy,
                                                         const Uuid &uuid, ValueFormat form,
                                                         bool isWrittenAnew) {
    const auto kept = [&](const char *why) {
        return FormerValue{form, freeQuarantineName(uuid, form), why};
    };
    if (form == ValueFormat::aes256cbc && isWrittenAnew)
        return kept("was re-encrypted, and nothing in it proves that the key was the right one");
    if (form == ValueFormat::aes256cbc && !policy.keyring().missing().empty())
        return kept("may be under a key that could not be read when its secret was changed");
    ValueNotes notes = notesOf(policy);
    if (readForm(policy, uuid, form, notes).isUnreadable())
        return kept("could not be read when its secret was changed");
    return {form, layout::oldValueName(uuid, form)};
}

std::vector<DirectoryBackend::FormerValue>
DirectoryBackend::removeForms(const Uuid &uuid, std::optional<ValueFormat> spared,
                              const Naming &naming, const ValueFiles *read) {
    std::vector<FormerValue> removed;
    const auto leave = [&](ValueFormat form) {
        // Behind the new file it would not count, and go with the next re-encryption.
        if (spared && form > *spared)
            throw Error(ErrorCode::internal, changedText(uuid, form));
        log_.warning(changedText(uuid, form));
    };
    try {
        for (auto at = kValueFormats.rbegin(); at != kValueFormats.rend(); ++at) {
            const ValueFormat form = *at;
            const std::string name = layout::valueName(uuid, form);
            // Asked first: a rename of nothing fails otherwise on a read-only file system.
            if (form == spared || !directory_->contains(name))
                continue;
            FormerValue former = naming(form);
            if (read && !isAsRead(uuid, form, *read)) {
                leave(form);
                continue;
            }
            if (!removeDurably(*directory_, name, former.name))
                continue;
            if (read && returnUnread(uuid, former, *read))
                leave(form);
            else
                removed.push_back(std::move(former));
        }
    } catch (const RollbackFailedError &) {
        throw;
    } catch (const Error &error) {
        restoreForms(uuid, removed, error);
        throw;
    }
    return removed;
}

void DirectoryBackend::restoreForms(const Uuid &uuid, const std::vector<FormerValue> &removed,
                                    const Error &cause) {
    if (removed.empty())
        return;
    bool isRestored = true;
    for (auto former = removed.rbegin(); former != removed.rend(); ++former) {
        const std::string name = layout::valueName(uuid, former->form);
        isRestored = directory_->fileSystem().rename(directory_->number(), former->name.c_str(),
                                                     name.c_str()) == 0 &&
                     isRestored;
    }
    if (!isRestored || directory_->sync() < 0)
        throw RollbackFailedError(cause);
}

void DirectoryBackend::storeValue(const SealingPolicy &policy, const Uuid &uuid,
                                  std::span<const std::uint8_t> value, const ValueFiles *read) {
    const ValueFormat form = policy.formatOfNew();
    requireReady(uuid);
    const std::string name = layout::valueName(uuid, form);
    const std::string staged = layout::newValueName(uuid, form);
    const auto naming = [&](ValueFormat each) {
        return formerOf(policy, uuid, each, read != nullptr);
    };
    const bool hadFile = directory_->contains(name);
    const FormerValue former =
        hadFile ? naming(form) : FormerValue{form, layout::oldValueName(uuid, form)};
    writeValueFile(staged, policy, form, uuid, value);
    if (read)
        requireAsRead(uuid, *read, staged);
    const bool hasFormer = replaceDurably(*directory_, staged, name, former.name,
                                          former.keptBecause ? Former::always : Former::ifLinkable);
    if (read && hasFormer && returnUnread(uuid, former, *read))
        throw Error(ErrorCode::internal, changedText(uuid, form));

    // Durable, but it may not count yet: not as long as a form is there that goes before it.
    std::vector<FormerValue> others;
    try {
        others = removeForms(uuid, form, naming, read);
    } catch (const RollbackFailedError &) {
        throw;
    } catch (const Error &error) {
        // Where the file system cannot keep the former file, there is nothing to go back to.
        if (hadFile && !hasFormer)
            throw RollbackFailedError(error);
        rollBackValue(uuid, former, hasFormer, error);
        throw;
    }
    if (hasFormer)
        retire(uuid, former);
    for (const FormerValue &other : others)
        retire(uuid, other);
    noteReencryption(uuid, false);
}

void DirectoryBackend::rollBackValue(const Uuid &uuid, const FormerValue &former, bool hasFormer,
                                     const Error &cause) {
    FileSystem &fileSystem = directory_->fileSystem();
    const std::string name = layout::valueName(uuid, former.form);
    const int result =
        hasFormer ? fileSystem.rename(directory_->number(), former.name.c_str(), name.c_str())
                  : fileSystem.unlink(directory_->number(), name.c_str());
    if (result < 0 || directory_->sync() < 0)
        throw RollbackFailedError(cause);
}

void DirectoryBackend::requireStorable(const SecretDefinition &definition) {
    if (definition.isEphemeral)
        throw Error(ErrorCode::internal, "the value of ephemeral secret '" +
                                             definition.uuid.toString() + "' is not to be stored");
}

void DirectoryBackend::replaceValue(const SecretDefinition &definition,
                                    std::span<const std::uint8_t> value) {
    requireStorable(definition);
    if (directory_->contains(layout::definitionName(definition.uuid)))
        storeValue(*policy_->get(), definition.uuid, value);
    else
        create(definition, &value);
}

void DirectoryBackend::removeValue(const Uuid &uuid) {
    requireReady(uuid);
    const auto policy = policy_->get();
    const auto removed = removeForms(
        uuid, std::nullopt, [&](ValueFormat form) { return formerOf(*policy, uuid, form, false); });
    for (const FormerValue &former : removed)
        retire(uuid, former);
    noteReencryption(uuid, false);
}

void DirectoryBackend::retire(const Uuid &uuid, const FormerValue &former) {
    if (former.keptBecause)
        reportQuarantined(uuid, former.form, former.name, former.keptBecause);
    else
        discard(uuid, former.name);
}

} // namespace keyhold
