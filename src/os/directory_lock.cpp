// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/directory_lock.h"

#include "os/lock_holder.h"
#include "os/store_lock.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace keyhold {

namespace {

/// What file systems without the lock answer, and kernels that were built without it. EBADF is of
/// those that make it a lock for writing, for which no directory can be opened.
bool isUnsupported(int error) {
    return error == EOPNOTSUPP || error == EINVAL || error == ENOLCK || error == EBADF ||
           error == ENOSYS;
}

} // namespace

DirectoryLock::DirectoryLock(const StoreDirectory &directory, const Retry &retry, AdminLog &log)
    : fileSystem_(directory.fileSystem()),
      owner_(getpid()) {
    const std::string what = "cannot lock directory " + inQuotes(directory.path());
    const int number = fileSystem_.open(directory.number(), ".", O_RDONLY | O_DIRECTORY, 0);
    if (number < 0)
        throw Error(ErrorCode::fileAccess, what, -number);
    own_ = Descriptor(fileSystem_, number);
    int result = fileSystem_.lockDirectory(number);
    while (result == -EWOULDBLOCK && retry())
        result = fileSystem_.lockDirectory(number);
    if (result == -EWOULDBLOCK) {
        const pid_t holder = holderOfDirectoryLock(number);
        throw LockedError(what + inUseBy(holder), holder);
    }
    if (result < 0 && !isUnsupported(-result))
        throw Error(ErrorCode::fileAccess, what, -result);
    if (result < 0)
        log.warning(Error(ErrorCode::fileAccess, what, -result).fullText() +
                    "; processes that keep their pid file elsewhere are not kept away from it");
}

DirectoryLock::~DirectoryLock() {
    // A child would take it from its parent.
    if (getpid() == owner_)
        fileSystem_.unlockDirectory(own_.number());
}

} // namespace keyhold
