// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/store_directory.h"

#include <cstdint>
#include <span>
#include <string>

namespace keyhold {

/// The one way files of a store are written. A file is complete and synced under a private name
/// before it gets its public one; what it replaces keeps a private name until the directory is
/// synced, so that a failed sync can be taken back without needing space on the disk.

/// Creates `name` with mode 0600 and the bytes, synced; the name itself is not yet durable. A
/// stale file of that name is removed first. Raises fileAccess and leaves no file.
void writeSyncedFile(StoreDirectory &directory, const std::string &name,
                     std::span<const std::uint8_t> bytes);

/// Whether a change may go on when the former file cannot have two names at once, as on file
/// systems without hard links.
enum class Former {
    ifLinkable, ///< it may; then a failed sync cannot be taken back, and the former file is lost
    always,     ///< the former file takes the other name before the new one comes
};

/// Gives the file `from` the name `to`, durably, in place of what had it; until then that is called
/// `old`. Raises fileAccess with everything as before and `from` gone, or RollbackFailedError.
/// Returns true if there is a former file under `old` now, for the caller to remove or to keep.
[[nodiscard]] bool replaceDurably(StoreDirectory &directory, const std::string &from,
                                  const std::string &to, const std::string &old,
                                  Former former = Former::ifLinkable);

/// Takes the name away, durably, by giving the file the name `old`, which the caller removes. False
/// if there was no such file. Raises systemCall with everything as before, or RollbackFailedError.
[[nodiscard]] bool removeDurably(StoreDirectory &directory, const std::string &name,
                                 const std::string &old);

} // namespace keyhold
