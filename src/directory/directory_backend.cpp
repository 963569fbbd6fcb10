// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/directory_backend.h"

#include "conf/bytes.h"
#include "conf/secret_xml.h"
#include "directory/layout.h"
#include "directory/secret_files.h"
#include "os/durable_file.h"

#include <cerrno>

namespace keyhold {

std::string definitionFileText(const SecretDefinition &definition) {
    // Every document below this size loads; above it, trying is the only sure answer.
    constexpr std::size_t kSurelyLoads = 1024 * 1024;

    std::string text = formatSecretXml(definition);
    if (text.size() <= kSurelyLoads)
        return text;
    try {
        if (text.size() <= kMaxDefinitionFileSize &&
            parseSecretFile({text.data(), text.size()}, "definition") == definition)
            return text;
    } catch (const Error &) {
        // The text of libxml2 speaks of a file that is not there yet; ours says what to do.
    }
    throw Error(ErrorCode::configUnsupported,
                "the definition of secret " + inQuotes(definition.uuid.toString()) +
                    " is too large to be loaded again; shorten its description or usage to less "
                    "than 10000000 bytes");
}

std::string DirectoryBackend::movedText() const {
    return inQuotes(directory_->path()) +
           " no longer leads to the directory that was opened at start; put it back, or "
           "restart to use what is there now";
}

std::string DirectoryBackend::orphanText(const Uuid &uuid, ValueFormat form) const {
    return inQuotes(directory_->pathOf(layout::valueName(uuid, form))) +
           " belongs to no secret; it is left alone";
}

void DirectoryBackend::requireReady(const Uuid &uuid) {
    if (!directory_->isStillAtPath())
        throw Error(ErrorCode::internal, movedText());
    requireNoStaleFiles(uuid);
    if (!directory_->hasUnsyncedNames())
        return;
    // On a read-only file system the change itself will fail, in the stock driver's words.
    if (const int result = directory_->sync(); result < 0 && result != -EROFS)
        throw directory_->syncError(result);
}

DirectoryBackend::DirectoryBackend(std::unique_ptr<StoreDirectory> directory, AdminLog &log,
                                   Clock clock)
    : directory_(std::move(directory)),
      log_(log),
      clock_(std::move(clock)) {
    // The process before may have been killed between a change and its sync.
    directory_->noteUnsyncedNames();
}

std::vector<ListedSecret> DirectoryBackend::list(Strays strays) {
    if (!directory_->isStillAtPath())
        log_.warning(movedText());
    Listing listing = listStore(*directory_);
    if (strays == Strays::told)
        tellMisnamed(listing);
    return std::move(listing.secrets);
}

void DirectoryBackend::tellMisnamed(const Listing &listing) {
    for (const std::string &name : listing.misnamed)
        log_.error("Error reading secret: <uuid> does not match secret file name " +
                   inQuotes(directory_->pathOf(name)));
}

std::optional<StoredSecret> DirectoryBackend::get(const ListedSecret &secret,
                                                  const ValueReader &reader) {
    const Uuid &uuid = secret.uuid;
    const std::int64_t now = clock_();
    auto file = readDefinition(*directory_, uuid);
    if (!file) {
        for (const ValueFormat form : kValueFormats) {
            if ((secret.forms & only(form)) != 0 &&
                directory_->contains(layout::valueName(uuid, form)))
                log_.warning(orphanText(uuid, form));
        }
        return std::nullopt;
    }
    SecretFiles files;
    files.definition = file->status;
    // A value that waited under a private name may get its own now.
    const ValueFormats forms = hasStaleFiles_ ? kAllForms : secret.forms;
    const auto pending = finishPendingValue(uuid);
    StoredValue value = readValue({uuid, forms}, reader, files, now);
    if (pending && !value.isThere())
        value.unreadable =
            Error(ErrorCode::valueUnreadable, pending->fullText() + "; put that right and reload",
                  0, pending->place());
    return StoredSecret{std::move(file->definition), std::move(value)};
}

std::optional<StoredValue> DirectoryBackend::getValue(const ListedSecret &secret,
                                                      const ValueReader &reader) {
    const std::int64_t now = clock_();
    SecretFiles files;
    files.definition = fileAt(layout::definitionName(secret.uuid));
    if (!files.definition)
        return std::nullopt;
    return readValue(secret, reader, files, now);
}

Revision DirectoryBackend::put(const Uuid &uuid, const SecretChange &change,
                               std::optional<Revision> seen, const FormerJudge &judge) {
    const EncodedValue *value = change.value ? &*change.value : nullptr;
    if (change.definition && (value || !seen))
        create(*change.definition, value);
    else if (change.definition)
        redefine(*change.definition);
    else if (value)
        storeValue(uuid, *value, seen.value_or(Revision()), judge);
    else if (change.removesValue)
        removeValue(uuid, judge);
    return {}; // what was just written may change again unseen
}

void DirectoryBackend::writeDefinition(const Uuid &uuid, const std::string &text) {
    const std::string staged = layout::definitionName(uuid, layout::Stage::fresh);
    const std::string old = layout::definitionName(uuid, layout::Stage::old);
    writeSyncedFile(*directory_, staged, bytesOf(text));
    if (replaceDurably(*directory_, staged, layout::definitionName(uuid), old))
        discard(uuid, old);
}

void DirectoryBackend::create(const SecretDefinition &definition, const EncodedValue *value) {
    const Uuid &uuid = definition.uuid;
    const std::string text = definitionFileText(definition);
    const ValueFormat form = value ? value->format : ValueFormat::plain;
    requireReady(uuid);

    bool mustSync = directory_->hasUnsyncedRemovals();
    if (quarantineOrphans(uuid))
        mustSync = true;

    const std::string awaiting =
        layout::awaitingValueName(uuid, form, layout::hashOfDefinition(text));
    if (value) {
        writeSyncedFile(*directory_, awaiting, value->bytes);
        mustSync = true;
    }
    try {
        if (mustSync)
            directory_->syncOrRaise();
        writeDefinition(uuid, text);
    } catch (const RollbackFailedError &error) {
        if (value)
            rememberStaleFile(uuid, awaiting, error);
        throw;
    } catch (const Error &) {
        if (value)
            discard(uuid, awaiting);
        throw;
    }
    if (!value)
        return;

    // Committed: a load would finish the move now. What cannot be finished here is taken back, so
    // that no later definition meets the value.
    try {
        directory_->rename(awaiting, layout::valueName(uuid, form));
    } catch (const Error &error) {
        rollBack(uuid, form, awaiting, error);
    }
    if (const int result = directory_->sync(); result < 0) {
        directory_->noteUnsyncedNames();
        log_.warning(directory_->syncError(result).fullText());
    }
}

void DirectoryBackend::rollBack(const Uuid &uuid, ValueFormat form, const std::string &awaiting,
                                const Error &cause) {
    const std::string oldDefinition = layout::definitionName(uuid, layout::Stage::old);
    try {
        // A rename may have failed after it was done.
        if (!directory_->contains(awaiting))
            directory_->rename(layout::valueName(uuid, form), awaiting);
        if (removeDurably(*directory_, layout::definitionName(uuid), oldDefinition))
            discard(uuid, oldDefinition);
        discard(uuid, awaiting);
    } catch (const Error &) {
        rememberStaleFile(uuid, awaiting, cause);
        throw RollbackFailedError(cause);
    }
    throw cause;
}

void DirectoryBackend::redefine(const SecretDefinition &definition) {
    const std::string text = definitionFileText(definition);
    requireReady(definition.uuid);
    requireDefinition(definition.uuid);
    writeDefinition(definition.uuid, text);
}

void DirectoryBackend::requireDefinition(const Uuid &uuid) const {
    const std::string name = layout::definitionName(uuid);
    if (!directory_->contains(name))
        throw ConflictError(ErrorCode::internal, inQuotes(directory_->pathOf(name)) + " is gone");
}

void DirectoryBackend::erase(const Uuid &uuid, Revision /*seen*/) {
    requireReady(uuid);
    try {
        removeFiles(uuid);
    } catch (const RollbackFailedError &error) {
        const auto rememberIfThere = [&](const std::string &name) {
            if (directory_->contains(name))
                rememberStaleFile(uuid, name, error);
        };
        for (const ValueFormat form : kValueFormats)
            rememberIfThere(layout::valueName(uuid, form, layout::Stage::leaving));
        rememberIfThere(layout::definitionName(uuid, layout::Stage::leaving));
        throw;
    }
}

void DirectoryBackend::removeFiles(const Uuid &uuid) {
    const std::string leaving = layout::definitionName(uuid, layout::Stage::leaving);
    // One sync makes all of it durable. A start that finds only some of it done ends it, or brings
    // back all if the definition is still there.
    std::vector<FormerValue> values;
    bool hadDefinition = false;
    try {
        for (const ValueFormat form : kValueFormats) {
            // Asked first: a rename of nothing fails otherwise on a read-only file system.
            const std::string name = layout::valueName(uuid, form);
            if (!directory_->contains(name))
                continue;
            FormerValue value{form, layout::valueName(uuid, form, layout::Stage::leaving)};
            const int result = directory_->fileSystem().rename(directory_->number(), name.c_str(),
                                                               value.name.c_str());
            if (result == -ENOENT)
                continue;
            // Over a network, a call that failed may have been done.
            if (result == 0 || !directory_->contains(name))
                values.push_back(std::move(value));
            if (result < 0)
                throw directory_->error(ErrorCode::systemCall, "cannot unlink", name, result);
        }
        hadDefinition = removeDurably(*directory_, layout::definitionName(uuid), leaving);
        if (!hadDefinition && !values.empty())
            directory_->syncOrRaise();
    } catch (const RollbackFailedError &) {
        throw;
    } catch (const Error &error) {
        restoreForms(uuid, values, error);
        throw;
    }
    // The definition last: as long as it is there, a value that came back would go again.
    std::optional<Error> failure;
    for (const FormerValue &value : values) {
        if (auto why = discard(uuid, value.name))
            failure = std::move(why);
    }
    if (hadDefinition && failure)
        rememberStaleFile(uuid, leaving, *failure);
    else if (hadDefinition)
        discard(uuid, leaving);
}

} // namespace keyhold
