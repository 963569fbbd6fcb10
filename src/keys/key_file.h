// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "keys/key_source.h"
#include "os/file_system.h"

#include <string>

namespace keyhold {

/// A file with a key: 32 bytes, raw, as libvirt 12.1 and later read them.
class KeyFile : public KeySource {
  public:
    /// `path` is absolute. `setting`, such as "'/etc/libvirt/secret.conf':
    /// 'secrets_encryption_key'", is who names it in a text that people write, where the key itself
    /// may have been pasted (mayBeAKey()); empty elsewhere.
    KeyFile(FileSystem &fileSystem, std::string path, std::string setting = {});

    /// A link is followed, and what it leads to is judged. A file that is not regular, or not
    /// exactly 32 bytes long (a newline at the end included), is no key. There is a complaint if
    /// others can read or replace the file, or it holds only zeros. The deadline is looked at
    /// before the file is opened and before each read(2); one on a file system that hangs cannot be
    /// interrupted, so this may return long after it.
    [[nodiscard]] FetchedKey fetch(const Deadline &deadline) const override;

  protected:
    [[nodiscard]] FileSystem &fileSystem() const noexcept { return fileSystem_; }

  private:
    FileSystem &fileSystem_;
    std::string setting_;
};

/// The systemd credential `secrets-encryption-key`: a key file in the directory that systemd made
/// for a service (systemd.exec(5), "Credentials").
class Credential : public KeyFile {
  public:
    /// `directory` is the service's $CREDENTIALS_DIRECTORY, or null.
    Credential(FileSystem &fileSystem, const char *directory);

    /// For this process: where another user may not look, libvirt finds none either. Root may look
    /// everywhere but where a policy forbids it, and then there is one: values that were to be
    /// encrypted are not written plain.
    [[nodiscard]] bool exists() const;
};

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
