// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/lost_store.h"

#include "command/open_directory.h"
#include "command/told_state.h"
#include "conf/error.h"
#include "os/file_system.h"

#include <cerrno>

namespace keyhold::command {

namespace {

/// By its open files, or where these may not be looked at, by what its driver reports.
bool isOfAnother(const Target &target, const Holder &holder, const FileStatus &directory) {
    if (holder.driver == Holder::Driver::other || holder.pid == 0)
        return false;
    if (holder.driver == Holder::Driver::keyhold)
        if (const auto isOpen = hasOpen(holder.pid, directory))
            return !*isOpen;
    const DriverView view = viewDriver(target, holder);
    if (!view.told)
        return false;
    const FileStatus &told = view.told->report.directoryStatus;
    return told.inode != 0 && !told.isSameFile(directory);
}

} // namespace

std::optional<Finding> lostStore(const Target &target, const std::optional<Holder> &holder) {
    if (!holder)
        return std::nullopt;
    const std::string &path = target.paths.configDirectory;
    FileStatus status;
    const int result = posixFileSystem().statusOf(path, status);
    if (result == -ENOENT || result == -ENOTDIR)
        return Finding{Finding::Kind::store, path,
                       "has gone, and " + holder->text() +
                           " serves what was in it; put it back and restart that"};
    if (result < 0 || !isOfAnother(target, *holder, status))
        return std::nullopt;
    return Finding{Finding::Kind::store, path,
                   "is not the directory that " + holder->text() +
                       " opened; put that back, or restart the daemon to serve this one"};
}

void requireNoLostStore(const Target &target, const std::optional<Holder> &holder) {
    if (const auto lost = lostStore(target, holder))
        throw Error(ErrorCode::configUnsupported, inQuotes(lost->file) + " " + lost->text);
}

} // namespace keyhold::command
