// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "command/target.h"

#include <string>
#include <vector>

namespace keyhold::command {

struct KeyOptions {
    TargetChoice target;            ///< whose secret.conf names keys
    std::vector<std::string> files; ///< key files; empty for those that secret.conf names
    bool json = false;
};

/// `keyhold key generate`: makes one key file of 32 random bytes, mode 0600, at the place that is
/// named or that secret.conf names for the current key. Raises fileAccess if there is a file
/// already, and configUnsupported if the place is that of a key which stored values need.
[[nodiscard]] Exit generateKey(const KeyOptions &options);
/// `keyhold key show-id`: prints the ids of keys; exits with failure if one cannot be read.
[[nodiscard]] Exit showKeyIds(const KeyOptions &options);
/// `keyhold key export --jwk`: writes one sealing key to stdout, from guarded memory.
[[nodiscard]] Exit exportKey(const KeyOptions &options);

} // namespace keyhold::command
