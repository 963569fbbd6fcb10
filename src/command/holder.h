// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace keyhold::command {

/// The process that has a store open.
struct Holder {
    enum class Driver {
        unknown, ///< its module could not be looked at
        keyhold,
        other, ///< libvirt's own
    };

    pid_t pid = 0;    ///< 0 if it is in a pid namespace that cannot be seen from here
    std::string name; ///< of its program, as the kernel has it
    Driver driver = Driver::unknown;
    bool handlesHangup = false; ///< SIGHUP makes it reload, and does not end it
    /// "secretmem", "locked", "unlocked"; "none" as long as there is neither key nor value; empty
    /// if unknown.
    std::string keyMemory;
    std::string credentialsDirectory; ///< its $CREDENTIALS_DIRECTORY

    /// For texts: "libvirtd (process 123)".
    [[nodiscard]] std::string text() const;
};

/// Who holds the lock of the store with this state directory; asks the kernel (F_GETLK) and takes
/// no lock. Not to be called while this process holds that lock: closing the file would drop it.
/// Raises fileAccess if the file cannot be opened.
[[nodiscard]] std::optional<Holder> findHolder(const std::string &stateDirectory);

/// Holder::keyMemory by the text of a process' /proc/PID/smaps (proc(5)): key memory alone is both
/// left out of cores and kept from forked children.
[[nodiscard]] std::string keyMemoryOf(const std::string &smaps);
/// Whether a process with this /proc/PID/status handles SIGHUP.
[[nodiscard]] bool handlesHangup(const std::string &status);

} // namespace keyhold::command
