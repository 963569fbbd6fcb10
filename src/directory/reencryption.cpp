// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/directory_backend.h"

#include <cerrno>

/// Values that are re-encrypted, from files that other people may change at the same time. What
/// they put there is newer than what was read.
namespace keyhold {

std::optional<FileStatus> DirectoryBackend::fileAt(const std::string &name) const {
    std::optional<FileStatus> status;
    if (const int result = look(name, status); result < 0 && result != -ENOENT)
        throw directory_->error(ErrorCode::systemCall, "cannot stat", name, result);
    return status;
}

std::string DirectoryBackend::changedText(const Uuid &uuid, ValueFormat form) const {
    return inQuotes(directory_->pathOf(layout::valueName(uuid, form))) +
           " was changed by somebody else while the value was re-encrypted; it is left as it is, "
           "and counts from the next reload or start on";
}

bool DirectoryBackend::isAsRead(const Uuid &uuid, ValueFormat form, const SecretFiles &read) const {
    const auto now = fileAt(layout::valueName(uuid, form));
    const auto &before = read.value(form);
    return now && before ? now->isUnchangedSince(*before) : !now && !before;
}

void DirectoryBackend::requireAsRead(const Uuid &uuid, const SecretFiles &read,
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
                                    const SecretFiles &read) {
    // The time of change is that of our own rename by now.
    const auto &wanted = read.value(former.form);
    const auto found = fileAt(former.name);
    if (!found || (wanted && found->isSameFile(*wanted)))
        return false;
    const std::string name = layout::valueName(uuid, former.form);
    int result =
        directory_->fileSystem().rename(directory_->number(), former.name.c_str(), name.c_str());
    if (result == 0)
        result = directory_->sync();
    if (result < 0)
        throw RollbackFailedError(ErrorCode::fileAccess,
                                  "cannot give " + inQuotes(directory_->pathOf(former.name)) +
                                      ", which somebody has just put there, its name " +
                                      inQuotes(name) + " back",
                                  -result);
    return true;
}

} // namespace keyhold
