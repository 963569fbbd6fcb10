// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "keys/key_file.h"

namespace keyhold {

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

} // namespace keyhold
