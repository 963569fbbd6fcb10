// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/directory_backend.h"
#include "directory/secret_files.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace keyhold {

namespace {

/// A call that fails may have been done.
class NoteAtEnd {
  public:
    explicit NoteAtEnd(StoreDirectory &directory) : directory_(directory) {}
    NoteAtEnd(const NoteAtEnd &) = delete;
    NoteAtEnd &operator=(const NoteAtEnd &) = delete;
    ~NoteAtEnd() { directory_.noteUnsyncedNames(); }

  private:
    StoreDirectory &directory_;
};

} // namespace

std::vector<ListedSecret> DirectoryBackend::start() {
    if (!directory_->isStillAtPath())
        log_.warning(movedText());
    Listing listing = listStore(*directory_);
    for (const std::string &name : listing.privateNames) {
        const layout::FileName file = *layout::parseFileName(name);
        try {
            recoverFile(file, name);
        } catch (const Error &error) {
            rememberStaleFile(file.uuid, name, error);
        }
    }
    if (directory_->hasUnsyncedNames()) {
        // A read-only store can be served; it takes no change that could build on what it shows.
        if (const int result = directory_->sync(); result < 0 && result != -EROFS)
            log_.warning(directory_->syncError(result).fullText());
    }
    if (!directory_->canBeSynced() && !std::exchange(hasToldUnsyncable_, true))
        log_.warning(inQuotes(directory_->path()) +
                     " is on a file system that cannot sync directories: what was changed "
                     "shortly before a power failure may be lost or back after it");

    if (!listing.privateNames.empty())
        listing = listStore(*directory_); // values have got their names
    tellMisnamed(listing);
    for (const auto &[uuid, form] : listing.orphans)
        log_.warning(orphanText(uuid, form));
    return std::move(listing.secrets);
}

bool DirectoryBackend::isValueOfSecret(const layout::FileName &file) const {
    bool isValue = false;
    if (file.stage == layout::Stage::awaiting) {
        const auto text = readDefinitionFile(*directory_, layout::definitionName(file.uuid));
        isValue = text && layout::hashOfDefinition(*text) == file.definitionHash;
    } else if (file.form && file.stage == layout::Stage::leaving) {
        // Where the definition that left is there too, another one came since.
        isValue = directory_->contains(layout::definitionName(file.uuid)) &&
                  !directory_->contains(layout::definitionName(file.uuid, layout::Stage::leaving));
    }
    // A value file that somebody put there since is the newer one.
    return isValue && !directory_->contains(layout::valueName(file.uuid, *file.form));
}

void DirectoryBackend::recoverFile(const layout::FileName &file, const std::string &name) {
    const bool isLeaving = file.stage == layout::Stage::leaving;
    const bool isValue = isValueOfSecret(file);
    // A power cut must not bring a definition back once its values are gone, nor take it away once
    // its value has its name.
    if (isLeaving || isValue)
        directory_->syncOrRaise();
    const NoteAtEnd note(*directory_);
    if (isLeaving && !file.form) {
        endRemoval(file.uuid);
    } else if (!isValue) {
        directory_->unlink(name);
    } else if (directory_->rename(name, layout::valueName(file.uuid, *file.form))) {
        log_.info("finished an interrupted change: " + inQuotes(directory_->pathOf(name)) +
                  " is now " +
                  inQuotes(directory_->pathOf(layout::valueName(file.uuid, *file.form))));
    }
}

void DirectoryBackend::endRemoval(const Uuid &uuid) {
    const std::string leaving = layout::definitionName(uuid, layout::Stage::leaving);
    std::optional<FileStatus> left;
    look(leaving, left);
    const bool isRedefined = directory_->contains(layout::definitionName(uuid));
    bool mustSync = false;
    for (const ValueFormat form : kValueFormats) {
        mustSync =
            directory_->unlink(layout::valueName(uuid, form, layout::Stage::leaving)) || mustSync;
        const std::string name = layout::valueName(uuid, form);
        std::optional<FileStatus> written;
        if (!isRedefined)
            look(name, written);
        // A value file that somebody put there since is not of this secret.
        if (left && written && written->changed <= left->changed)
            mustSync = directory_->unlink(name) || mustSync;
    }
    // The definition that left says whose the values were, so it stays until they are gone.
    if (mustSync)
        directory_->syncOrRaise();
    directory_->unlink(leaving);
}

std::optional<Error> DirectoryBackend::discard(const Uuid &uuid, const std::string &privateName) {
    try {
        directory_->unlink(privateName);
        // The others are removed at the next start in any case, should a power cut bring them back.
        const layout::FileName file = *layout::parseFileName(privateName);
        if (file.form &&
            (file.stage == layout::Stage::awaiting || file.stage == layout::Stage::leaving))
            directory_->noteRemoval();
    } catch (const Error &error) {
        rememberStaleFile(uuid, privateName, error);
        return error;
    }
    return std::nullopt;
}

void DirectoryBackend::rememberStaleFile(const Uuid &uuid, const std::string &privateName,
                                         const Error &cause) {
    {
        // First of all: a line that there is no memory for must not cost the safety.
        const MutexLock lock(staleFilesMutex_);
        staleFiles_.emplace(uuid, privateName);
        hasStaleFiles_ = true;
    }
    log_.warning(inQuotes(directory_->pathOf(privateName)) +
                 " is left over from a change of secret " + inQuotes(uuid.toString()) +
                 ", which cannot be changed again until it is gone: " + cause.fullText());
}

void DirectoryBackend::requireNoStaleFiles(const Uuid &uuid) {
    while (hasStaleFiles_) {
        std::string name;
        {
            const MutexLock lock(staleFilesMutex_);
            const auto found = staleFiles_.find(uuid);
            if (found == staleFiles_.end())
                return;
            name = found->second;
        }
        recoverFile(*layout::parseFileName(name), name);
        const MutexLock lock(staleFilesMutex_);
        staleFiles_.erase(staleFiles_.find(uuid));
        hasStaleFiles_ = !staleFiles_.empty();
    }
}

std::optional<Error> DirectoryBackend::finishPendingValue(const Uuid &uuid) {
    try {
        requireNoStaleFiles(uuid);
    } catch (const Error &error) {
        std::vector<layout::FileName> left;
        {
            const MutexLock lock(staleFilesMutex_);
            const auto [first, last] = staleFiles_.equal_range(uuid);
            for (auto name = first; name != last; ++name)
                left.push_back(*layout::parseFileName(name->second));
        }
        if (std::ranges::any_of(left, [&](const auto &file) { return isValueOfSecret(file); }))
            return error;
    }
    return std::nullopt;
}

} // namespace keyhold
