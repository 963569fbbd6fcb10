// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/secret_definition.h"
#include "directory/secret_files.h"
#include "directory/store_finding.h"
#include "os/retry.h"
#include "os/store_directory.h"
#include "seal/sealing_policy.h"
#include "store/value.h"

#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// One secret of a store as it was at one moment: the definition and the value belong together.
struct SecretCopy {
    std::optional<SecretDefinition> definition; ///< empty if it cannot be read
    std::string definitionText;
    std::optional<ValueFormat> format; ///< of the value that counts, if it can be copied
    std::optional<ValueFile> file;     ///< its text
    Value value;       ///< that was opened; unreadable if its key is not here, and of a damaged one
    std::string keyId; ///< of a sealed one
    /// Files of it that are not copied, and why; also those of a change at work.
    std::vector<StoreFinding> findings;
};

/// Reads a secret while other processes may change it: what is read counts if the files were the
/// same before and after, else it is read again, as `retry` has it. Empty if there is no such
/// secret. Raises internal, naming it, if it never held still, or an interrupted change left its
/// value under another name; noMemory.
[[nodiscard]] std::optional<SecretCopy> copySecret(const StoreDirectory &directory,
                                                   const SealingPolicy &policy, const Uuid &uuid,
                                                   const Retry &retry = retryFor(kLockPatience));

} // namespace keyhold::command
