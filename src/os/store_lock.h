// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "os/descriptor.h"

#include <cerrno>
#include <string>
#include <utility>

namespace keyhold {

/// Somebody else holds a lock of a store, this process itself included.
class LockedError : public Error {
  public:
    LockedError(std::string message, pid_t holder, SourcePlace place = SourcePlace::current())
        : Error(ErrorCode::fileAccess, std::move(message), EAGAIN, place),
          holder_(holder) {}

    /// 0 if it cannot be seen from here.
    [[nodiscard]] pid_t holder() const noexcept { return holder_; }

  private:
    pid_t holder_;
};

/// What follows the words for a lock that `holder` has: who that is, and the remedy.
[[nodiscard]] std::string inUseBy(pid_t holder);

/// Keeps a second process, ours or a stock driver's, away from the same store: a POSIX write lock
/// on byte 0 of `driver.pid` in the state directory, which holds our pid in decimal (libvirt's
/// virPidFileAcquire does the same). Within one process, the file is opened once: closing any
/// descriptor of it would drop the lock.
class StoreLock {
  public:
    /// Raises LockedError, or fileAccess for any other failure, with the stock driver's texts. On a
    /// full disk the lock counts, and a file that can be made, or is there, has no pid.
    StoreLock(FileSystem &fileSystem, const std::string &stateDirectory);
    /// Removes the file and releases the lock; takes a process-wide mutex for these calls only. In
    /// a forked child, which has a copy of this but not the lock, both stay.
    ~StoreLock();
    StoreLock(const StoreLock &) = delete;
    StoreLock &operator=(const StoreLock &) = delete;

  private:
    FileSystem &fileSystem_;
    Descriptor directory_;
    Descriptor file_;
    FileStatus identity_;
    pid_t owner_ = -1;
};

} // namespace keyhold
