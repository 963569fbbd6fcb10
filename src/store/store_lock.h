// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/file_system.h"

#include <string>

namespace keyhold {

/// Keeps a second process, ours or a stock driver's, away from the same store: a POSIX write lock on
/// byte 0 of `driver.pid` in the state directory, which holds our pid in decimal (libvirt's
/// virPidFileAcquire does the same). Within one process, the file is opened once: closing any
/// descriptor of it would drop the lock.
class StoreLock {
  public:
    /// Raises fileAccess with the stock driver's texts; systemErrno() is EAGAIN exactly when
    /// somebody else holds the lock, this process included.
    StoreLock(FileSystem &fileSystem, const std::string &stateDirectory);
    /// Removes the file and releases the lock; takes a process-wide mutex for these calls only.
    ~StoreLock();
    StoreLock(const StoreLock &) = delete;
    StoreLock &operator=(const StoreLock &) = delete;

  private:
    FileSystem &fileSystem_;
    int directory_ = -1;
    int file_ = -1;
    FileStatus identity_;
};

} // namespace keyhold
