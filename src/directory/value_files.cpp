// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/directory_backend.h"
#include "directory/secret_files.h"
#include "os/durable_file.h"
#include "seal/value_error.h"

#include <cerrno>

/// The value files of a directory: which one counts, how one takes the place of another.
namespace keyhold {

StoredValue DirectoryBackend::readValue(const ListedSecret &secret, const ValueReader &reader,
                                        SecretFiles files, std::int64_t now) const {
    const Uuid &uuid = secret.uuid;
    StoredValue out;
    const auto counting = countingFormat(secret.forms, [&](ValueFormat form) {
        readForm(uuid, form, reader, files, out);
        return out.isThere();
    });
    const ValueFormats behind = counting ? secret.forms & formatsBehind(*counting) : 0;
    for (const ValueFormat form : kValueFormats) {
        if ((behind & only(form)) == 0)
            continue;
        const std::string name = layout::valueName(uuid, form);
        if (directory_->fileSystem().exists(directory_->number(), name.c_str()) < 0)
            continue;
        out.present |= only(form);
        look(name, files.value(form));
    }
    out.revision = revisionNow(files, now);
    return out;
}

void DirectoryBackend::readForm(const Uuid &uuid, ValueFormat form, const ValueReader &reader,
                                SecretFiles &files, StoredValue &out) const {
    constexpr const char *remedy = "; put the file right and reload, or set the value again";
    const auto refuse = [&](ErrorCode code, const std::string &text, const Error &cause) {
        out.format = form;
        out.unreadable = Error(code, text, 0, cause.place());
    };
    std::optional<ValueFile> file;
    try {
        file = readEncodedValue(*directory_, uuid, form);
    } catch (const Error &error) {
        return refuse(ErrorCode::valueUnreadable, error.fullText() + remedy, error);
    }
    if (!file)
        return;
    out.present |= only(form);
    files.value(form) = file->status;
    const auto named = [&](const Error &error) {
        return inQuotes(directory_->pathOf(layout::valueName(uuid, form))) + " " + error.fullText();
    };
    try {
        if (reader({form, file->bytes()}))
            out.format = form;
    } catch (const RefusedPlainError &error) {
        refuse(error.code(), named(error), error);
    } catch (const Error &error) {
        if (error.code() == ErrorCode::invalidEncryptionKey)
            return refuse(error.code(), named(error), error);
        refuse(ErrorCode::valueUnreadable, named(error) + remedy, error);
    }
}

int DirectoryBackend::look(const std::string &name, std::optional<FileStatus> &out) const {
    const int result =
        directory_->fileSystem().statusAt(directory_->number(), name.c_str(), out.emplace());
    if (result < 0)
        out.reset();
    return result;
}

Revision DirectoryBackend::revisionNow(const SecretFiles &files, std::int64_t now) const {
    // A time before all files: proves nothing.
    return fingerprintOf(files, hasStaleFiles_ ? 0 : now);
}

Revision DirectoryBackend::revisionOf(const ListedSecret &secret) {
    const std::int64_t now = clock_();
    SecretFiles files;
    bool isKnown = true;
    const auto note = [&](const std::string &name, std::optional<FileStatus> &out) {
        const int result = look(name, out);
        isKnown = isKnown && (result >= 0 || result == -ENOENT);
    };
    note(layout::definitionName(secret.uuid), files.definition);
    for (const ValueFormat form : kValueFormats) {
        if ((secret.forms & only(form)) != 0)
            note(layout::valueName(secret.uuid, form), files.value(form));
    }
    return isKnown ? revisionNow(files, now) : Revision();
}

SecretFiles DirectoryBackend::filesOf(const Uuid &uuid) const {
    SecretFiles files;
    files.definition = fileAt(layout::definitionName(uuid));
    for (const ValueFormat form : kValueFormats)
        files.value(form) = fileAt(layout::valueName(uuid, form));
    return files;
}

std::string DirectoryBackend::freeQuarantineName(const Uuid &uuid, ValueFormat form) const {
    unsigned n = 1;
    while (directory_->contains(layout::quarantineName(uuid, form, n)))
        ++n;
    return layout::quarantineName(uuid, form, n);
}

void DirectoryBackend::reportQuarantined(const Uuid &uuid, ValueFormat form,
                                         const std::string &quarantined, const char *reason) {
    log_.warning(inQuotes(directory_->pathOf(layout::valueName(uuid, form))) + " " + reason +
                 "; it is now " + inQuotes(directory_->pathOf(quarantined)));
}

bool DirectoryBackend::quarantineOrphans(const Uuid &uuid) {
    const bool hasSecret = directory_->contains(layout::definitionName(uuid));
    const char *reason = hasSecret ? "was not the value of its secret" : "belonged to no secret";
    bool hadSome = false;
    for (const ValueFormat form : kValueFormats) {
        const std::string name = layout::valueName(uuid, form);
        if (!directory_->contains(name))
            continue;
        const std::string quarantined = freeQuarantineName(uuid, form);
        if (directory_->rename(name, quarantined)) {
            reportQuarantined(uuid, form, quarantined, reason);
            hadSome = true;
        }
    }
    return hadSome;
}

DirectoryBackend::FormerValue DirectoryBackend::formerOf(const Uuid &uuid, ValueFormat form,
                                                         const FormerJudge &judge) const {
    const auto lend = [&](const ValueReader &reader) {
        if (const auto file = readEncodedValue(*directory_, uuid, form))
            reader({form, file->bytes()});
    };
    if (const char *why = judge(form, lend))
        return {form, freeQuarantineName(uuid, form), why};
    return {form, layout::valueName(uuid, form, layout::Stage::old)};
}

std::vector<DirectoryBackend::FormerValue>
DirectoryBackend::removeForms(const Uuid &uuid, std::optional<ValueFormat> spared,
                              const Naming &naming, const SecretFiles *read) {
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

void DirectoryBackend::storeValue(const Uuid &uuid, const EncodedValue &value, Revision seen,
                                  const FormerJudge &judge) {
    const ValueFormat form = value.format;
    requireReady(uuid);
    requireDefinition(uuid);
    std::optional<SecretFiles> asSeen;
    if (seen.isKnown()) {
        asSeen = filesOf(uuid);
        if (fingerprintOf(*asSeen, 0).differsFrom(seen))
            throw ConflictError(ErrorCode::internal, "the files of secret " +
                                                         inQuotes(uuid.toString()) + " in " +
                                                         inQuotes(directory_->path()) +
                                                         " were changed by somebody else");
    }
    const SecretFiles *const read = asSeen ? &*asSeen : nullptr;
    const std::string name = layout::valueName(uuid, form);
    const std::string staged = layout::valueName(uuid, form, layout::Stage::fresh);
    const auto naming = [&](ValueFormat each) { return formerOf(uuid, each, judge); };
    const bool hadFile = directory_->contains(name);
    const FormerValue former =
        hadFile ? naming(form)
                : FormerValue{form, layout::valueName(uuid, form, layout::Stage::old)};
    writeSyncedFile(*directory_, staged, value.bytes);
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
        if (hasFormer)
            restoreForms(uuid, {former}, error);
        // Where the file system cannot keep the former file, there is nothing to go back to.
        else if (hadFile ||
                 directory_->fileSystem().unlink(directory_->number(), name.c_str()) < 0 ||
                 directory_->sync() < 0)
            throw RollbackFailedError(error);
        throw;
    }
    if (hasFormer)
        others.insert(others.begin(), former);
    retire(uuid, others);
}

void DirectoryBackend::removeValue(const Uuid &uuid, const FormerJudge &judge) {
    requireReady(uuid);
    retire(uuid, removeForms(uuid, std::nullopt,
                             [&](ValueFormat form) { return formerOf(uuid, form, judge); }));
}

void DirectoryBackend::retire(const Uuid &uuid, const std::vector<FormerValue> &formers) {
    for (const FormerValue &former : formers) {
        if (former.keptBecause)
            reportQuarantined(uuid, former.form, former.name, former.keptBecause);
        else
            discard(uuid, former.name);
    }
}

} // namespace keyhold
