// SPDX-License-Identifier: LGPL-2.1-or-later
#include "keys/credential.h"

#include <cerrno>

#include <unistd.h>

namespace keyhold {

Credential::Credential(FileSystem &fileSystem, const char *directory)
    : KeyFile(fileSystem,
              directory == nullptr ? "" : std::string(directory) + "/secrets-encryption-key") {}

bool Credential::exists() const {
    if (name().empty())
        return false;
    FileStatus status;
    const int result = fileSystem().statusOf(name(), status);
    const bool isHidden = result == -EACCES && ::geteuid() != 0;
    return result != -ENOENT && result != -ENOTDIR && !isHidden;
}

} // namespace keyhold
