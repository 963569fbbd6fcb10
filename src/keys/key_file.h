// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "seal/guarded_memory.h"
#include "os/file_system.h"

#include <string>

namespace keyhold {

/// The content of a key file: 32 bytes, raw, as libvirt 12.1 and later read them.
struct KeyFile {
    GuardedMemory key; ///< 32 bytes
    /// Why the key must not seal anything new, with file and remedy: others can read or replace the
    /// file, or it holds only zeros. Empty if it may. What was sealed with it can be opened.
    std::string complaint;
};

/// Reads a key file; a link is followed, and what it leads to is judged. Raises
/// invalidEncryptionKey if there is no such file, it is not a regular file, cannot be read or is
/// not exactly 32 bytes long (a newline at the end included); the message names file and remedy.
/// `path` is absolute.
[[nodiscard]] KeyFile readKeyFile(FileSystem &fileSystem, const std::string &path);

/// Whether a text that should name a key file may be the key itself, pasted, and must not be shown:
/// it reads like base64, base64url or hexadecimal text of 24 bytes or more, white space included,
/// and neither such a file nor the first directory on the way to it is there. Base64 may begin with
/// a slash.
[[nodiscard]] bool mayBeAKey(FileSystem &fileSystem, const std::string &text);

/// What is wrong with owner and mode of a key file for a process of user `self`; empty if nothing.
/// The group may read: an access control list, as systemd puts on credentials, shows as the group's
/// permission.
[[nodiscard]] std::string complaintAboutKeyFile(const FileStatus &status, uid_t self,
                                                const std::string &path);

} // namespace keyhold
