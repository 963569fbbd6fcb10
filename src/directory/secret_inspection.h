// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/secret_definition.h"
#include "conf/uuid.h"
#include "directory/store_finding.h"
#include "os/store_directory.h"
#include "seal/sealing_policy.h"
#include "seal/value_error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keyhold {

/// What the files of one secret hold.
struct SecretInspection {
    std::optional<SecretDefinition> definition; ///< empty if it cannot be read
    std::optional<ValueFormat> format; ///< of the value file that counts; empty if there is none
    std::string keyId;                 ///< of a sealed one; empty if unknown
    std::int64_t changed = 0;          ///< FileStatus::changed of that file; 0 if unknown
    bool isUnreadable = false;         ///< there is a value, and it is unavailable
    bool needsReencryption = false;    ///< by the rules of `policy`
    std::vector<StoreFinding> findings;
};

/// Reads the definition and every value file of a secret, and authenticates those that are sealed.
/// Changes nothing. Files that go in the meantime count as not there. Raises noMemory and internal.
[[nodiscard]] SecretInspection inspectSecret(const StoreDirectory &directory,
                                             const SealingPolicy &policy, const Uuid &uuid);

/// Why SealingPolicy::decode() could not read the value in `file`.
[[nodiscard]] StoreFinding findingOf(std::string file, const ValueError &error);

} // namespace keyhold
