// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "os/descriptor.h"
#include "os/file_system.h"
#include "os/pending_sync.h"

#include <atomic>
#include <functional>
#include <string>

namespace keyhold {

/// The directory of a store, opened once. All work on its files goes through the open directory, so
/// a path that later leads elsewhere (an unmounted store) changes nothing.
class StoreDirectory {
  public:
    /// Raises systemCall if `path` is not a directory that can be opened.
    StoreDirectory(FileSystem &fileSystem, const std::string &path);
    /// For reading files whose names are known: `path` may be one that can be searched and not
    /// read. It can be neither listed nor synced. Raises systemCall.
    [[nodiscard]] static StoreDirectory toReachFiles(FileSystem &fileSystem, std::string path);

    [[nodiscard]] FileSystem &fileSystem() const noexcept { return fileSystem_; }
    [[nodiscard]] int number() const noexcept { return directory_.number(); }
    [[nodiscard]] const std::string &path() const noexcept { return path_; }
    /// For texts.
    [[nodiscard]] std::string pathOf(const std::string &name) const { return path_ + "/" + name; }

    /// Device and inode, which name the directory however it is spelled. Raises systemCall.
    [[nodiscard]] FileStatus status() const;
    /// False if the directory has been removed, or its path now leads to another one or to none.
    [[nodiscard]] bool isStillAtPath() const;
    /// Raises systemCall if the directory cannot be read to its end.
    void list(const std::function<void(const char *name)> &visit) const;

    /// True if there is an entry of that name. Raises systemCall if that cannot be known.
    [[nodiscard]] bool contains(const std::string &name) const;
    /// Makes earlier changes of names durable. 0 or -errno; 0 as well where the file system has no
    /// sync of directories.
    [[nodiscard]] int sync();
    /// False once sync() has met such a file system.
    [[nodiscard]] bool canBeSynced() const noexcept { return canBeSynced_; }
    /// What a call that answered `result`, -errno, could not do to the file `name`, or to the
    /// directory if that is empty: "cannot stat".
    [[nodiscard]] Error error(ErrorCode code, const char *what, const std::string &name,
                              ssize_t result, SourcePlace place = SourcePlace::current()) const;
    /// What became of a sync() or a rename that answered `result`: fileAccess.
    [[nodiscard]] Error syncError(int result, SourcePlace place = SourcePlace::current()) const;
    [[nodiscard]] Error renameError(const std::string &from, const std::string &to, int result,
                                    SourcePlace place = SourcePlace::current()) const;
    /// Notes that a name was removed which must not come back after a power cut.
    void noteRemoval() noexcept { removals_.note(); }
    /// True while a noted removal is not known to be durable.
    [[nodiscard]] bool hasUnsyncedRemovals() const noexcept { return removals_.isPending(); }
    /// Notes that there may be names which are not durable, and which are shown or which a next
    /// change counts on.
    void noteUnsyncedNames() noexcept { names_.note(); }
    /// True while they are not known to be durable.
    [[nodiscard]] bool hasUnsyncedNames() const noexcept { return names_.isPending(); }
    /// As sync(), raising syncError().
    void syncOrRaise();
    /// False if `from` is not there; raises fileAccess for any other failure.
    bool rename(const std::string &from, const std::string &to);
    /// False if it is not there; raises systemCall for any other failure.
    bool unlink(const std::string &name);

  private:
    StoreDirectory(FileSystem &fileSystem, std::string path, int number);

    FileSystem &fileSystem_;
    std::string path_;
    Descriptor directory_;
    PendingSync removals_;
    PendingSync names_;
    std::atomic<bool> canBeSynced_{true};
};

} // namespace keyhold
