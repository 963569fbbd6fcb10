// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/lock_holder.h"

#include "os/descriptor.h"
#include "os/proc_file.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace keyhold {

namespace {

std::string procOf(pid_t pid) {
    return "/proc/" + std::to_string(pid);
}

std::vector<std::string> namesIn(const std::string &directory) {
    FileSystem &fileSystem = posixFileSystem();
    const Descriptor open(fileSystem, fileSystem.openDirectory(directory));
    std::vector<std::string> names;
    if (open.number() >= 0)
        fileSystem.list(open.number(), [&](const char *name) { names.emplace_back(name); });
    return names;
}

/// What stands between any of the separators; nothing of it is empty.
std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    for (std::size_t at = text.find_first_not_of(separators); at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = text.find_first_not_of(separators, end);
    }
    return parts;
}

/// The words of each line of a file of /proc. Devices and inodes are between colons, too.
std::vector<std::vector<std::string_view>> wordsOf(std::string_view text) {
    std::vector<std::vector<std::string_view>> lines;
    for (const std::string_view line : split(text, "\n"))
        lines.push_back(split(line, " \t:"));
    return lines;
}

/// Not by a stream, which would follow the locale of the program.
template <typename Number>
bool readNumber(std::string_view word, int base, Number &out) {
    const char *const end = word.data() + word.size();
    const auto [at, error] = std::from_chars(word.data(), end, out, base);
    return error == std::errc() && at == end;
}

/// On btrfs, stat(2) has a device for each subvolume, and /proc/locks has that of the file system;
/// as the list of mounts does.
LockedFile lockedFileOf(int descriptor, const struct stat &status) {
    const std::string info = textOfProc("/proc/self/fdinfo/" + std::to_string(descriptor));
    const std::string mounts = textOfProc("/proc/self/mountinfo");
    LockedFile file{major(status.st_dev), minor(status.st_dev), status.st_ino};
    LockedFile found = file;
    for (const auto &field : wordsOf(info)) {
        if (field.size() != 2 || field[0] != "mnt_id")
            continue;
        // "36 35 98:0 /mnt1 /mnt2 ...": proc_pid_mountinfo(5)
        for (const auto &mount : wordsOf(mounts)) {
            if (mount.size() > 3 && mount[0] == field[1] &&
                readNumber(mount[2], 10, found.deviceMajor) &&
                readNumber(mount[3], 10, found.deviceMinor))
                return found;
        }
    }
    return file;
}

/// Whether a process has the directory open with a flock on it; empty if its files cannot be seen.
std::optional<bool> hasLock(pid_t pid, const struct stat &directory) {
    const std::string descriptors = procOf(pid) + "/fd";
    const std::vector<std::string> names = namesIn(descriptors);
    if (names.empty())
        return std::nullopt;
    return std::ranges::any_of(names, [&](const std::string &name) {
        if (textOfProc(procOf(pid) + "/fdinfo/" + name).find(" FLOCK ") == std::string::npos)
            return false;
        // A file of a server that is gone must not make this wait.
        struct statx found;
        return ::statx(AT_FDCWD, (descriptors + "/" + name).c_str(), AT_STATX_DONT_SYNC, STATX_INO,
                       &found) == 0 &&
               makedev(found.stx_dev_major, found.stx_dev_minor) == directory.st_dev &&
               found.stx_ino == directory.st_ino;
    });
}

} // namespace

std::string processName(pid_t pid) {
    std::string name = textOfProc(procOf(pid) + "/comm");
    if (name.ends_with('\n'))
        name.pop_back();
    return name;
}

std::string processText(pid_t pid, const std::string &name) {
    if (pid == 0)
        return "a process that cannot be seen from here";
    return (name.empty() ? "a process" : name) + " (process " + std::to_string(pid) + ")";
}

std::optional<pid_t> holderOfLock(int descriptor) {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_len = 1;
    if (::fcntl(descriptor, F_GETLK, &range) != 0)
        return -errno;
    if (range.l_type == F_UNLCK)
        return std::nullopt;
    return std::max(range.l_pid, pid_t{0});
}

std::vector<pid_t> flockHoldersIn(const std::string &locks, const LockedFile &file) {
    // "1: FLOCK  ADVISORY  WRITE 32147 fe:00:10952875 0 EOF"; of a waiting one "1: -> FLOCK ...".
    std::vector<pid_t> holders;
    for (const auto &lock : wordsOf(locks)) {
        pid_t pid = 0;
        LockedFile found;
        if (lock.size() > 7 && lock[1] == "FLOCK" && readNumber(lock[4], 10, pid) && pid > 0 &&
            readNumber(lock[5], 16, found.deviceMajor) &&
            readNumber(lock[6], 16, found.deviceMinor) && readNumber(lock[7], 10, found.inode) &&
            found == file)
            holders.push_back(pid);
    }
    return holders;
}

pid_t holderOfDirectoryLock(int descriptor) {
    struct stat directory;
    if (::fstat(descriptor, &directory) != 0)
        return 0;
    // The kernel names the process that took a lock, which may have ended, and whose number another
    // one may have by now.
    for (const pid_t pid :
         flockHoldersIn(textOfProc("/proc/locks"), lockedFileOf(descriptor, directory))) {
        const bool isThere = !processName(pid).empty();
        if (isThere && hasLock(pid, directory).value_or(true))
            return pid;
    }
    for (const std::string &name : namesIn("/proc")) {
        pid_t pid = 0;
        if (readNumber(name, 10, pid) && hasLock(pid, directory).value_or(false))
            return pid;
    }
    return 0;
}

} // namespace keyhold
