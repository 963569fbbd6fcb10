// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/store_directory.h"

#include <cerrno>

#include <fcntl.h>

namespace keyhold {

StoreDirectory::StoreDirectory(FileSystem &fileSystem, const std::string &path)
    : StoreDirectory(fileSystem, path, fileSystem.openDirectory(path)) {}

StoreDirectory::StoreDirectory(FileSystem &fileSystem, std::string path, int number)
    : fileSystem_(fileSystem),
      path_(std::move(path)) {
    if (number < 0)
        throw error(ErrorCode::systemCall, "cannot open directory", "", number);
    directory_ = Descriptor(fileSystem_, number);
}

StoreDirectory StoreDirectory::toReachFiles(FileSystem &fileSystem, std::string path) {
    const int number = fileSystem.open(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY, 0);
    return {fileSystem, std::move(path), number};
}

FileStatus StoreDirectory::status() const {
    FileStatus out;
    const int result = fileSystem_.status(number(), out);
    if (result < 0)
        throw error(ErrorCode::systemCall, "cannot stat directory", "", result);
    return out;
}

bool StoreDirectory::isStillAtPath() const {
    const FileStatus opened = status();
    FileStatus found;
    return fileSystem_.statusOf(path_, found) == 0 && found.isSameFile(opened);
}

void StoreDirectory::list(const std::function<void(const char *name)> &visit) const {
    const int result = fileSystem_.list(number(), visit);
    if (result < 0)
        throw error(ErrorCode::systemCall, "cannot read directory", "", result);
}

bool StoreDirectory::contains(const std::string &name) const {
    const int result = fileSystem_.exists(number(), name.c_str());
    if (result < 0 && result != -ENOENT)
        throw error(ErrorCode::systemCall, "cannot stat", name, result);
    return result == 0;
}

int StoreDirectory::sync() {
    const PendingSync::Mark removals = removals_.mark();
    const PendingSync::Mark names = names_.mark();
    int result = fileSystem_.sync(number());
    if (isSyncUnavailable(result)) {
        canBeSynced_ = false;
        result = 0;
    }
    if (result == 0) {
        removals_.markSynced(removals);
        names_.markSynced(names);
    }
    return result;
}

Error StoreDirectory::error(ErrorCode code, const char *what, const std::string &name,
                            ssize_t result, SourcePlace place) const {
    return {code, what + (" " + inQuotes(name.empty() ? path_ : pathOf(name))),
            static_cast<int>(-result), place};
}

Error StoreDirectory::syncError(int result, SourcePlace place) const {
    return error(ErrorCode::fileAccess, "cannot sync directory", "", result, place);
}

Error StoreDirectory::renameError(const std::string &from, const std::string &to, int result,
                                  SourcePlace place) const {
    return {ErrorCode::fileAccess,
            "cannot rename file " + inQuotes(pathOf(from)) + " as " + inQuotes(pathOf(to)), -result,
            place};
}

void StoreDirectory::syncOrRaise() {
    const int result = sync();
    if (result < 0)
        throw syncError(result);
}

bool StoreDirectory::rename(const std::string &from, const std::string &to) {
    const int result = fileSystem_.rename(number(), from.c_str(), to.c_str());
    if (result == -ENOENT)
        return false;
    if (result < 0)
        throw renameError(from, to, result);
    return true;
}

bool StoreDirectory::unlink(const std::string &name) {
    const int result = fileSystem_.unlink(number(), name.c_str());
    if (result == -ENOENT)
        return false;
    if (result < 0)
        throw error(ErrorCode::systemCall, "cannot unlink", name, result);
    return true;
}

} // namespace keyhold
