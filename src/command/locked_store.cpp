// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/locked_store.h"

#include "conf/error.h"

#include <unistd.h>

namespace keyhold::command {

namespace {

/// Files that root made in the store of a user would be closed to that user. The system's daemon is
/// root, whoever owns its directory: deployment tools give it to users of theirs.
void requireOwner(const Target &target, const StoreDirectory &directory) {
    const uid_t owner = directory.status().owner;
    const bool isRoots = target.kind == Target::Kind::system && ::geteuid() == 0;
    if (owner != ::geteuid() && !isRoots)
        throw Error(ErrorCode::configUnsupported, inQuotes(directory.path()) + " belongs to user " +
                                                      std::to_string(owner) +
                                                      "; run the command as that user");
}

} // namespace

LockedStore::LockedStore(const Target &target, FileSystem &fileSystem) {
    const InstancePaths &paths = target.paths;
    auto opened = std::make_unique<StoreDirectory>(fileSystem, paths.configDirectory);
    directory_ = opened.get();
    requireOwner(target, *directory_);
    if (const int result = fileSystem.makePath(paths.stateDirectory); result < 0)
        throw Error(ErrorCode::systemCall, "cannot create " + inQuotes(paths.stateDirectory),
                    -result);
    lock_.emplace(fileSystem, paths.stateDirectory);
    directoryLock_.emplace(*directory_, retryFor(kLockPatience), log_);
    backend_ = std::make_shared<DirectoryBackend>(std::move(opened), log_);
    backend_->start();
}

} // namespace keyhold::command
