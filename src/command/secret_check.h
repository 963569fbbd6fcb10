// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"
#include "conf/usage.h"
#include "conf/uuid.h"
#include "os/store_directory.h"
#include "seal/sealing_policy.h"

#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// What the files of one secret hold.
struct CheckedSecret {
    std::optional<Usage> usage;      ///< empty if the definition cannot be read
    std::optional<ValueFormat> form; ///< of the value file that counts; empty if there is no value
    std::string keyId;               ///< of a sealed one; empty if it cannot be told
    bool isUnreadable = false;       ///< there is a value, and it cannot be had
    bool needsReencryption = false;  ///< by the rules of `policy`
    std::vector<Finding> findings;
};

/// Reads the definition and every value file of a secret, and authenticates those that are sealed.
/// Changes nothing. Files that go meanwhile count as not there.
[[nodiscard]] CheckedSecret checkSecret(const StoreDirectory &directory,
                                        const SealingPolicy &policy, const Uuid &uuid);

} // namespace keyhold::command
