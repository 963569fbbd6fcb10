// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include <sys/types.h>

namespace keyhold {

/// Type, identity and size of a file, from fstat or statx.
struct FileStatus {
    dev_t device = 0;
    ino_t inode = 0;
    mode_t mode = 0; ///< st_mode: type and permissions
    uid_t owner = 0;
    nlink_t links = 0;
    off_t size = 0;           ///< bytes
    std::int64_t changed = 0; ///< st_ctim in nanoseconds since the epoch
    /// When the file was made, in the same unit; 0 if the file system does not keep it. By
    /// statusAt() alone.
    std::int64_t born = 0;

    [[nodiscard]] bool isSameFile(const FileStatus &other) const noexcept {
        return device == other.device && inode == other.inode;
    }
    /// The same file, and not written, renamed or linked between the two calls.
    [[nodiscard]] bool isUnchangedSince(const FileStatus &before) const noexcept {
        return isSameFile(before) && size == before.size && changed == before.changed;
    }
};

/// Every system call by which the store touches files. One narrow interface so that tests can fail
/// any single call, stop after any of them, and forget what was not synced. All names are relative
/// to an open directory; all descriptors are close-on-exec. Each call returns a non-negative result
/// or -errno, retries on EINTR where that is safe, and has no other effect than the call it names.
/// Implementations are safe for concurrent use.
class FileSystem {
  public:
    virtual ~FileSystem() = default;

    /// mkdir of `path` and all its missing parents with mode 0700, each durably; 0 if it is there
    /// already. One whose maker ended before that is made durable now.
    virtual int makePath(const std::string &path) = 0;
    /// Opens a directory for the calls below.
    virtual int openDirectory(const std::string &path) = 0;
    /// openat(2) with O_CLOEXEC added; never waits for the other end of a FIFO if O_NONBLOCK is
    /// set. An absolute path needs no directory but AT_FDCWD.
    virtual int open(int directory, const char *name, int flags, mode_t mode) = 0;
    virtual int close(int descriptor) = 0;
    virtual int status(int descriptor, FileStatus &out) = 0;
    /// statx(2), following links. What the file is at this moment, and not what the machine has
    /// remembered of it: a network file system or FUSE is asked. A kernel without statx may answer
    /// from memory.
    virtual int statusAt(int directory, const char *name, FileStatus &out) = 0;
    /// 0 if there is an entry of that name, be it a link that leads nowhere.
    virtual int exists(int directory, const char *name) = 0;
    /// stat(2) of a path.
    virtual int statusOf(const std::string &path, FileStatus &out) = 0;
    virtual ssize_t read(int descriptor, void *buffer, std::size_t size) = 0;
    /// pread(2): from this offset on, and the position of read() stays.
    virtual ssize_t readAt(int descriptor, void *buffer, std::size_t size, off_t offset) = 0;
    virtual ssize_t write(int descriptor, const void *buffer, std::size_t size) = 0;
    /// fsync(2), of a file or of a directory, which is not enough: take sync().
    virtual int fsync(int descriptor) = 0;
    /// fstatvfs(2): 1 if the mount or the file system of the file takes no changes, 0 if it does.
    virtual int isReadOnly(int descriptor) = 0;
    virtual int rename(int directory, const char *from, const char *to) = 0;
    /// A second name for a file; does not follow links.
    virtual int link(int directory, const char *from, const char *to) = 0;
    virtual int unlink(int directory, const char *name) = 0;
    /// Calls `visit` with each name in the directory but "." and "..", in the directory's own
    /// order.
    virtual int list(int directory, const std::function<void(const char *name)> &visit) = 0;
    /// Takes a POSIX write lock on byte 0 without waiting; -EAGAIN or -EACCES if another process
    /// holds it.
    virtual int lock(int descriptor) = 0;
    /// flock(2), exclusive, without waiting; -EWOULDBLOCK while another open of the directory, or
    /// file, has a lock. It belongs to what is open, so copies of the descriptor in forked children
    /// keep it until unlockDirectory(), whoever closes what.
    virtual int lockDirectory(int descriptor) = 0;
    virtual int unlockDirectory(int descriptor) = 0;
    virtual int truncate(int descriptor, off_t size) = 0;
    /// fchmod(2): the mode of a new file, whatever the umask of the process.
    virtual int setMode(int descriptor, mode_t mode) = 0;

    /// Makes durable what was written to a file, or which names are in a directory. After a failure
    /// the kernel answers fsync with 0 for work that it has thrown away: XFS for a directory once
    /// it has shut down, btrfs once it has made itself read-only. The first is seen by fstat, which
    /// fails then, and the second by fstatvfs. So this is 0 only if the file system still answers
    /// and takes changes afterwards, and -EROFS on one that is read-only.
    int sync(int descriptor);
    /// Writes all of the bytes, by as many calls as it takes. 0 or -errno.
    int writeAll(int descriptor, std::span<const std::uint8_t> bytes);
};

/// Whether this answer of sync() means that the file system has no sync of directories at all
/// (EINVAL, as the kernel says, and what servers of FUSE and network file systems say instead),
/// and not that one failed.
[[nodiscard]] bool isSyncUnavailable(int result) noexcept;

/// The kernel's. Lives for the whole process.
[[nodiscard]] FileSystem &posixFileSystem();

} // namespace keyhold
