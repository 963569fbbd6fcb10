// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/file_system.h"

#include <cerrno>
#include <memory>
#include <new>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace keyhold {
namespace {

constexpr mode_t kDirectoryMode = 0700;
// Of a directory of ours whose name in its parent may not be durable yet. Where nobody but the
// owner may do anything, the sticky bit means nothing else.
constexpr mode_t kUnsyncedMark = S_ISVTX;
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

template <typename Result>
Result orErrno(Result result) {
    return result < 0 ? -errno : result;
}

/// For calls that did nothing when they were interrupted.
template <typename Call, typename... Arguments>
auto untilDone(Call call, Arguments... arguments) {
    auto result = call(arguments...);
    while (result < 0 && errno == EINTR)
        result = call(arguments...);
    return orErrno(result);
}

void fill(FileStatus &out, const struct stat &from) {
    out.device = from.st_dev;
    out.inode = from.st_ino;
    out.mode = from.st_mode;
    out.owner = from.st_uid;
    out.links = from.st_nlink;
    out.size = from.st_size;
    out.changed = std::int64_t{from.st_ctim.tv_sec} * 1'000'000'000 + from.st_ctim.tv_nsec;
}

void fill(FileStatus &out, const struct statx &from) {
    out.device = makedev(from.stx_dev_major, from.stx_dev_minor);
    out.inode = from.stx_ino;
    out.mode = from.stx_mode;
    out.owner = from.stx_uid;
    out.links = from.stx_nlink;
    out.size = static_cast<off_t>(from.stx_size);
    out.changed = std::int64_t{from.stx_ctime.tv_sec} * 1'000'000'000 + from.stx_ctime.tv_nsec;
    if ((from.stx_mask & STATX_BTIME) != 0)
        out.born = std::int64_t{from.stx_btime.tv_sec} * 1'000'000'000 + from.stx_btime.tv_nsec;
}

/// On a network file system or FUSE this may be what was cached some seconds ago.
int cachedStatus(int directory, const char *name, FileStatus &out) {
    struct stat found;
    const int result = untilDone(::fstatat, directory, name, &found, 0);
    if (result == 0)
        fill(out, found);
    return result;
}

enum class Found { nothing, other, directory, markedDirectory };

bool isMarked(const struct stat &directory) {
    return (directory.st_mode & (kUnsyncedMark | S_IRWXG | S_IRWXO)) == kUnsyncedMark &&
           directory.st_uid == ::geteuid();
}

Found look(const std::string &path) {
    struct stat found;
    if (::stat(path.c_str(), &found) != 0)
        return Found::nothing;
    if (!S_ISDIR(found.st_mode))
        return Found::other;
    return isMarked(found) ? Found::markedDirectory : Found::directory;
}

/// A mark that stays means a sync at the next start.
void removeMark(const std::string &path) {
    const int descriptor = untilDone(::open, path.c_str(), kOpenDirectory);
    if (descriptor < 0)
        return;
    struct stat found;
    if (::fstat(descriptor, &found) == 0 && isMarked(found))
        ::fchmod(descriptor, found.st_mode & 07777 & ~kUnsyncedMark);
    ::close(descriptor);
}

struct DirectoryCloser {
    void operator()(DIR *stream) const { ::closedir(stream); }
};

class PosixFileSystem final : public FileSystem {
  public:
    int makePath(const std::string &path) override {
        if (path.empty())
            return -ENOENT;
        if (look(path) == Found::directory) // as at every start but the first
            return 0;
        for (std::size_t end = path.find_first_not_of('/'); end < path.size();) {
            end = path.find('/', end);
            if (int result = makeOne(path.substr(0, end)); result < 0)
                return result;
            end = path.find_first_not_of('/', end);
        }
        return 0;
    }

    int openDirectory(const std::string &path) override {
        return untilDone(::open, path.c_str(), kOpenDirectory);
    }

    int open(int directory, const char *name, int flags, mode_t mode) override {
        flags |= O_CLOEXEC;
        // A second attempt of an exclusive creation could meet the file of the first.
        return (flags & O_EXCL) != 0 ? orErrno(::openat(directory, name, flags, mode))
                                     : untilDone(::openat, directory, name, flags, mode);
    }

    int close(int descriptor) override {
        // Linux releases the descriptor even when it answers EINTR.
        return orErrno(::close(descriptor));
    }

    int status(int descriptor, FileStatus &out) override {
        struct stat found;
        int result = orErrno(::fstat(descriptor, &found));
        if (result == 0)
            fill(out, found);
        return result;
    }

    int exists(int directory, const char *name) override {
        struct stat found;
        return untilDone(::fstatat, directory, name, &found, AT_SYMLINK_NOFOLLOW);
    }

    int statusAt(int directory, const char *name, FileStatus &out) override {
        struct statx found;
        const int result = untilDone(::statx, directory, name, AT_STATX_FORCE_SYNC,
                                     STATX_BASIC_STATS | STATX_BTIME, &found);
        // Without statx, the C library refuses the flag with EINVAL, and filters of system calls
        // that are older than it answer EPERM. The kernel's own statx has no reason for either.
        if (result == -ENOSYS || result == -EINVAL || result == -EPERM)
            return cachedStatus(directory, name, out);
        if (result == 0)
            fill(out, found);
        return result;
    }

    int statusOf(const std::string &path, FileStatus &out) override {
        return cachedStatus(AT_FDCWD, path.c_str(), out);
    }

    ssize_t read(int descriptor, void *buffer, std::size_t size) override {
        return untilDone(::read, descriptor, buffer, size);
    }

    ssize_t readAt(int descriptor, void *buffer, std::size_t size, off_t offset) override {
        return untilDone([&] { return ::pread(descriptor, buffer, size, offset); });
    }

    ssize_t write(int descriptor, const void *buffer, std::size_t size) override {
        return untilDone(::write, descriptor, buffer, size);
    }

    int fsync(int descriptor) override { return untilDone(::fsync, descriptor); }

    int isReadOnly(int descriptor) override {
        struct statvfs found;
        const int result = untilDone(::fstatvfs, descriptor, &found);
        return result == 0 && (found.f_flag & ST_RDONLY) != 0 ? 1 : result;
    }

    int rename(int directory, const char *from, const char *to) override {
        return orErrno(::renameat(directory, from, directory, to));
    }

    int link(int directory, const char *from, const char *to) override {
        return orErrno(::linkat(directory, from, directory, to, 0));
    }

    int unlink(int directory, const char *name) override {
        return orErrno(::unlinkat(directory, name, 0));
    }

    int list(int directory, const std::function<void(const char *name)> &visit) override {
        // An open file description of its own: the read position is not shared with other lists.
        int descriptor = untilDone(::openat, directory, ".", kOpenDirectory);
        if (descriptor < 0)
            return descriptor;
        std::unique_ptr<DIR, DirectoryCloser> stream(::fdopendir(descriptor));
        if (stream == nullptr) {
            int error = errno;
            ::close(descriptor);
            return -error;
        }
        for (;;) {
            errno = 0;
            // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else has this stream
            const dirent *entry = ::readdir(stream.get());
            if (entry == nullptr)
                return -errno;
            std::string_view name = entry->d_name;
            if (name != "." && name != "..")
                visit(entry->d_name);
        }
    }

    int lock(int descriptor) override {
        struct flock range {};
        range.l_type = F_WRLCK;
        range.l_whence = SEEK_SET;
        range.l_start = 0;
        range.l_len = 1;
        return untilDone(::fcntl, descriptor, F_SETLK, &range);
    }

    int lockDirectory(int descriptor) override {
        return untilDone(::flock, descriptor, LOCK_EX | LOCK_NB);
    }

    int unlockDirectory(int descriptor) override { return untilDone(::flock, descriptor, LOCK_UN); }

    int truncate(int descriptor, off_t size) override {
        return untilDone(::ftruncate, descriptor, size);
    }
    int setMode(int descriptor, mode_t mode) override {
        return untilDone(::fchmod, descriptor, mode);
    }

  private:
    int makeOne(const std::string &path) {
        const bool isMade = ::mkdir(path.c_str(), kDirectoryMode | kUnsyncedMark) == 0;
        const int error = errno;
        if (!isMade) {
            // An existing directory can be reported as EEXIST, EROFS, EACCES or EISDIR.
            const Found found = look(path);
            if (found == Found::directory)
                return 0;
            if (found != Found::markedDirectory)
                return error == EEXIST ? -ENOTDIR : -error;
        }
        const int result = syncParent(path);
        if (!isMade && result == -EROFS) // can be read, if not changed
            return 0;
        if (result < 0 && !isSyncUnavailable(result))
            return result;
        removeMark(path);
        return 0;
    }

    /// Makes the entry of `path` durable. A parent that cannot be read cannot be synced.
    int syncParent(const std::string &path) {
        const auto slash = path.find_last_of('/');
        const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
        const int descriptor = openDirectory(parent);
        if (descriptor < 0)
            return descriptor == -EACCES ? 0 : descriptor;
        const int result = sync(descriptor);
        ::close(descriptor);
        return result;
    }
};

} // namespace

FileSystem &posixFileSystem() {
    // Made in place and never destroyed: calls may come until the process is gone.
    alignas(PosixFileSystem) static std::byte place[sizeof(PosixFileSystem)];
    static FileSystem *const made = new (place) PosixFileSystem;
    return *made;
}

} // namespace keyhold
