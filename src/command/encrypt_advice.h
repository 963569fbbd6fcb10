// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/target.h"
#include "directory/inspection.h"
#include "host/host_keys.h"
#include "os/store_directory.h"

#include <string>
#include <vector>

namespace keyhold::command {

/// Which keys of `secrets_decryption_keys` are needed still, and what was not looked at.
/// `inspection` is of `directory`, the store, after `keyhold encrypt on` or `rotate`.
[[nodiscard]] std::vector<std::string> adviceOnEarlierKeys(const Target &target,
                                                           const HostKeys &keys,
                                                           const StoreDirectory &directory,
                                                           const Inspection &inspection);
/// What becomes of the keys after `keyhold encrypt off`.
[[nodiscard]] std::string adviceAfterOff(const Target &target, const Inspection &inspection);

} // namespace keyhold::command
