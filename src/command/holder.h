// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "host/instance_paths.h"

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

    pid_t pid = 0;           ///< 0 if it cannot be seen from here, as in another pid namespace
    std::string name;        ///< of its program, as the kernel has it
    bool hasPidFile = false; ///< it has the lock in the state directory
    Driver driver = Driver::unknown;
    /// The file that its module was loaded from has gone, or has another name: an upgrade.
    bool isModuleReplaced = false;
    bool handlesHangup = false; ///< SIGHUP makes it reload, and does not end it
    /// "secretmem", "locked", "unlocked"; "none" as long as there is neither key nor value; empty
    /// if unknown.
    std::string keyMemory;
    std::string credentialsDirectory; ///< its $CREDENTIALS_DIRECTORY

    /// For texts: "libvirtd (process 123)".
    [[nodiscard]] std::string text() const;
};

/// Who has the store open, by the lock in its state directory (F_GETLK) and that on its directory,
/// of which it asks for a share for a moment. Where two processes have one each, it is the one that
/// changes files. Not to be called while this process has such a lock: closing the file would drop
/// it. Raises fileAccess if that cannot be seen.
[[nodiscard]] std::optional<Holder> findHolder(const InstancePaths &paths);
/// The same but for a tool that has the directory alone, for a moment: taking the lock waits for
/// it.
[[nodiscard]] std::optional<Holder> findLastingHolder(const InstancePaths &paths);

/// The module of a secret driver in the text of a /proc/PID/maps (proc(5)).
struct LoadedModule {
    std::string path;        ///< that it has now, or had before it was removed
    std::string addresses;   ///< of its first mapping, which /proc/PID/map_files has a link of
    bool isRemoved = false;  ///< nothing at `path` is it
    bool isReplaced = false; ///< removed, or it was given another name
};
[[nodiscard]] std::optional<LoadedModule> loadedModuleIn(const std::string &maps);

/// Holder::keyMemory by the text of a process' /proc/PID/smaps (proc(5)): key memory alone is both
/// left out of cores and kept from forked children.
[[nodiscard]] std::string keyMemoryOf(const std::string &smaps);
/// Whether a process with this /proc/PID/status handles SIGHUP.
[[nodiscard]] bool handlesHangup(const std::string &status);

} // namespace keyhold::command
