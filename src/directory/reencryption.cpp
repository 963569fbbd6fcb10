// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/directory_backend.h"
#include "directory/listing.h"
#include "seal/scratch.h"

#include <algorithm>
#include <cerrno>

/// Values that are re-encrypted, from files that other people may change meanwhile. What they put
/// there is newer than what was read.
namespace keyhold {

bool DirectoryBackend::reencryptValue(const Uuid &uuid) {
    const auto policy = policy_->get();
    ValueNotes notes = notesOf(*policy);
    const Value value = readValue(*policy, {uuid, kAllForms}, notes);
    if (value.isUnreadable())
        throw value.reason();
    if (!notes.needsReencryption || !directory_->contains(layout::definitionName(uuid))) {
        noteReencryption(uuid, false);
        return false;
    }
    for (const ValueFormat form : kValueFormats) {
        // Those that do not count are removed as they are now.
        if ((notes.looked & only(form)) == 0)
            notes.seen.at(static_cast<std::size_t>(form)) = fileAt(layout::valueName(uuid, form));
    }
    if (directory_->contains(layout::valueName(uuid, ValueFormat::aes256cbc)))
        requireEveryAes256CbcOpens(policy);
    Scratch plain(value.shielded()->size());
    value.shielded()->open(uuid, plain.bytes());
    storeValue(*policy, uuid, plain.bytes(), &notes.seen);
    return true;
}

std::optional<FileStatus> DirectoryBackend::fileAt(const std::string &name) const {
    FileStatus status;
    const int result =
        directory_->fileSystem().statusAt(directory_->number(), name.c_str(), status);
    if (result == -ENOENT)
        return std::nullopt;
    if (result < 0)
        throw Error(ErrorCode::systemCall, "cannot stat '" + directory_->pathOf(name) + "'",
                    -result);
    return status;
}

std::string DirectoryBackend::changedText(const Uuid &uuid, ValueFormat form) const {
    return "'" + directory_->pathOf(layout::valueName(uuid, form)) +
           "' was changed by somebody else while the value was re-encrypted; it is left as it is, "
           "and counts from the next reload or start on";
}

bool DirectoryBackend::isAsRead(const Uuid &uuid, ValueFormat form, const ValueFiles &read) const {
    const auto now = fileAt(layout::valueName(uuid, form));
    const auto &before = read.at(static_cast<std::size_t>(form));
    return now && before ? now->isUnchangedSince(*before) : !now && !before;
}

void DirectoryBackend::requireAsRead(const Uuid &uuid, const ValueFiles &read,
                                     const std::string &staged) {
    try {
        for (const ValueFormat form : kValueFormats) {
            if (!isAsRead(uuid, form, read))
                throw Error(ErrorCode::internal, changedText(uuid, form));
        }
    } catch (const Error &) {
        discard(uuid, staged);
        throw;
    }
}

bool DirectoryBackend::returnUnread(const Uuid &uuid, const FormerValue &former,
                                    const ValueFiles &read) {
    // The time of change is that of our own rename by now.
    const auto &wanted = read.at(static_cast<std::size_t>(former.form));
    const auto found = fileAt(former.name);
    if (!found || (wanted && found->device == wanted->device && found->inode == wanted->inode))
        return false;
    const std::string name = layout::valueName(uuid, former.form);
    int result =
        directory_->fileSystem().rename(directory_->number(), former.name.c_str(), name.c_str());
    if (result == 0)
        result = directory_->sync();
    if (result < 0)
        throw RollbackFailedError(ErrorCode::fileAccess,
                                  "cannot give '" + directory_->pathOf(former.name) +
                                      "', which somebody has just put there, its name '" + name +
                                      "' back",
                                  -result);
    return true;
}

void DirectoryBackend::requireEveryAes256CbcOpens(
    const std::shared_ptr<const SealingPolicy> &policy) {
    if (const std::string &missing = policy->keyring().missing(); !missing.empty())
        throw Error(ErrorCode::invalidEncryptionKey,
                    "it was encrypted by libvirt, which leaves no way to tell a wrong key, and a "
                    "configured key could not be read: " +
                        missing);
    if (judgedBy_.lock() != policy) {
        const Listing listing = listStore(*directory_);
        const auto misfit = std::ranges::find_if(listing.secrets, [&](const ListedSecret &secret) {
            ValueNotes notes = notesOf(*policy);
            return readForm(*policy, secret.uuid, ValueFormat::aes256cbc, notes).isUnreadable();
        });
        misfit_ = misfit == listing.secrets.end()
                      ? std::string()
                      : layout::valueName(misfit->uuid, ValueFormat::aes256cbc);
        judgedBy_ = policy;
    }
    if (!misfit_.empty())
        throw Error(ErrorCode::invalidEncryptionKey,
                    "it was encrypted by libvirt, which leaves no way to tell a wrong key, and '" +
                        directory_->pathOf(misfit_) +
                        "' cannot be opened; put the right key in place, or move that file to "
                        "another directory, and reload");
}

} // namespace keyhold
