// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/store_lock.h"

#include "conf/mutex.h"
#include "os/lock_holder.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace keyhold {

namespace {

constexpr const char *kName = "driver.pid";
/// Of a lock that is held, by a process that could not be found.
constexpr unsigned kTries = 10;
// What a link leads to would be truncated.
constexpr int kLockFlags = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOFOLLOW;

// Lock files this process holds. Made once and never destroyed: the process may exit while other
// threads still use it.
struct HeldLocks {
    Mutex mutex;
    std::vector<FileStatus> files GUARDED_BY(mutex);

    [[nodiscard]] auto find(const FileStatus &file) REQUIRES(mutex) {
        return std::ranges::find_if(files,
                                    [&](const FileStatus &held) { return held.isSameFile(file); });
    }
};

HeldLocks &heldLocks() {
    static auto *const locks = new HeldLocks;
    return *locks;
}

[[noreturn]] void raise(const char *what, const std::string &path, int systemErrno,
                        SourcePlace place = SourcePlace::current()) {
    throw Error(ErrorCode::fileAccess, std::string(what) + " pid file " + inQuotes(path),
                systemErrno, place);
}

[[noreturn]] void raiseLocked(const std::string &path, pid_t holder,
                              SourcePlace place = SourcePlace::current()) {
    throw LockedError("Failed to acquire pid file " + inQuotes(path), holder, place);
}

bool isFullDisk(ssize_t result) {
    return result == -ENOSPC || result == -EDQUOT;
}

} // namespace

std::string inUseBy(pid_t holder) {
    return ", which is in use by " + processText(holder) + "; try again once that has ended";
}

StoreLock::StoreLock(FileSystem &fileSystem, const std::string &stateDirectory)
    : fileSystem_(fileSystem) {
    const std::string path = stateDirectory + "/" + kName;
    const int directoryNumber = fileSystem.openDirectory(stateDirectory);
    if (directoryNumber < 0)
        raise("Failed to open", path, -directoryNumber);
    directory_ = Descriptor(fileSystem, directoryNumber);

    HeldLocks &held = heldLocks();
    const MutexLock lock(held.mutex);
    held.files.reserve(held.files.size() + 1);
    for (unsigned tries = 1;; ++tries) {
        // To open and close one that this process holds would drop it.
        FileStatus status;
        int result = fileSystem.statusAt(directory_.number(), kName, status);
        if (result < 0 && result != -ENOENT && result != -ELOOP) // a link is not opened
            raise("Unable to check status of", path, -result);
        if (result == 0 && held.find(status) != held.files.end())
            raiseLocked(path, getpid());

        const int number = fileSystem.open(directory_.number(), kName, kLockFlags, 0644);
        if (number < 0)
            raise("Failed to open", path, -number);
        Descriptor file(fileSystem, number);

        result = fileSystem.lock(file.number());
        if (result == -EAGAIN || result == -EACCES) {
            // One that has let go since is no reason to be refused.
            const std::optional<pid_t> holder = holderOfLock(file.number());
            if (!holder && tries < kTries)
                continue;
            raiseLocked(path, std::max(holder.value_or(0), 0));
        }
        if (result < 0)
            raise("Failed to acquire", path, -result);

        // A holder that stops removes the file: what was locked may be no longer what others open.
        result = fileSystem.status(file.number(), identity_);
        if (result < 0)
            raise("Unable to check status of", path, -result);
        result = fileSystem.statusAt(directory_.number(), kName, status);
        if (result < 0 && result != -ENOENT)
            raise("Unable to check status of", path, -result);
        if (result < 0 || !status.isSameFile(identity_))
            continue;

        owner_ = getpid();
        const std::string pid = std::to_string(owner_);
        result = fileSystem.truncate(file.number(), 0);
        if (result < 0 && !isFullDisk(result))
            raise("Failed to truncate", path, -result);
        const ssize_t put = fileSystem.write(file.number(), pid.data(), pid.size());
        if (put < 0 && !isFullDisk(put))
            raise("Failed to write to", path, static_cast<int>(-put));

        held.files.push_back(identity_);
        file_ = std::move(file);
        return;
    }
}

StoreLock::~StoreLock() {
    HeldLocks &held = heldLocks();
    const MutexLock lock(held.mutex);
    FileStatus there;
    if (getpid() == owner_ && fileSystem_.statusAt(directory_.number(), kName, there) == 0 &&
        there.isSameFile(identity_))
        fileSystem_.unlink(directory_.number(), kName);
    file_.close(); // under the mutex: it would drop the lock that another thread takes then
    held.files.erase(held.find(identity_));
}

} // namespace keyhold
