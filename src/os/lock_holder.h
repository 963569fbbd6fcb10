// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace keyhold {

/// The name of the operator's program, as the kernel has it of a process that runs it.
inline constexpr const char *kCommandName = "keyhold";

/// Of the program of a process, as the kernel has it (/proc/PID/comm); empty if it cannot be read.
[[nodiscard]] std::string processName(pid_t pid);
/// For texts: "libvirtd (process 123)"; `pid` is 0 for a process that cannot be seen from here.
[[nodiscard]] std::string processText(pid_t pid, const std::string &name);
[[nodiscard]] inline std::string processText(pid_t pid) {
    return processText(pid, processName(pid));
}

/// Who keeps lock() of FileSystem from succeeding on this descriptor: F_GETLK, fcntl(2). 0 for a
/// process that cannot be seen, as in another pid namespace; -errno if the call fails; empty if
/// nobody does any more.
[[nodiscard]] std::optional<pid_t> holderOfLock(int descriptor);
/// Who has a flock(2) on this open directory, in the same way. A lock outlives the process that
/// took it in the children to which that process forked a copy of the descriptor; then this is one
/// of them. Looks in /proc, so it takes milliseconds.
[[nodiscard]] pid_t holderOfDirectoryLock(int descriptor);

/// A file as lines of /proc/locks name it: device of the file system's superblock, and inode.
struct LockedFile {
    unsigned deviceMajor = 0;
    unsigned deviceMinor = 0;
    std::uint64_t inode = 0;

    bool operator==(const LockedFile &) const = default;
};

/// Processes with a flock on `file`, by the text of /proc/locks (proc(5)). Waiting ones are left
/// out.
[[nodiscard]] std::vector<pid_t> flockHoldersIn(const std::string &locks, const LockedFile &file);

} // namespace keyhold
