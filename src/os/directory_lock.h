// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "os/retry.h"
#include "os/store_directory.h"

#include <sys/types.h>

namespace keyhold {

/// Keeps other processes of ours away from a directory of secrets by whatever path, and with
/// whatever state directory, they come to it: a flock(2) on the directory itself. It is taken after
/// the StoreLock, which keeps the stock driver away. It stays when the process copies its files,
/// which drops a POSIX lock. A network file system or FUSE may keep it to this host.
///
/// It belongs to an open of its own, of which a forked child has a copy. So it is given back in
/// words, which counts for the copies as well; where the process is killed instead, it lasts until
/// such children have ended. Close-on-exec keeps it from programs that the process runs.
class DirectoryLock {
  public:
    /// Tries again, as `retry` has it, while somebody has the lock; then raises LockedError, which
    /// names the holder. Raises fileAccess for other failures. Where the file system has no such
    /// lock, the log gets a warning and there is none. `directory` need not outlive this.
    DirectoryLock(const StoreDirectory &directory, const Retry &retry, AdminLog &log);
    /// Releases it, but not in a forked child.
    ~DirectoryLock();
    DirectoryLock(const DirectoryLock &) = delete;
    DirectoryLock &operator=(const DirectoryLock &) = delete;

  private:
    FileSystem &fileSystem_;
    Descriptor own_;
    pid_t owner_;
};

} // namespace keyhold
