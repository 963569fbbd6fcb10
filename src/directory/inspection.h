// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"
#include "directory/store_finding.h"
#include "os/store_directory.h"
#include "seal/sealing_policy.h"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace keyhold {

/// What the files of a store hold, by one look at all of them.
struct Inspection {
    std::size_t secrets = 0; ///< definition files
    std::size_t aes256cbc = 0;
    std::map<std::string, std::size_t> sealed; ///< by key id; empty if that is unknown
    std::size_t unreadable = 0;                ///< of all, those whose value is unavailable
    std::vector<Uuid> withoutValue;            ///< of all
    std::size_t unreadableByStock = 0;         ///< the same for a driver that opens no sealed value
    std::vector<Uuid> plain;                   ///< of all, those whose value is not encrypted
    std::vector<Uuid> reencryptable;           ///< by the rules of the SealingPolicy that was given
    std::vector<StoreFinding> findings;        ///< in the order of the uuids
};

/// Whatever their keys.
[[nodiscard]] std::size_t sealedIn(const Inspection &inspection);

/// Changes nothing. Raises systemCall if the directory cannot be read.
[[nodiscard]] Inspection inspect(const StoreDirectory &directory, const SealingPolicy &policy);
/// The same beside a process at work: one look meets changes half done, so what is found is looked
/// at again a moment later, and counts if it is still there.
[[nodiscard]] Inspection inspectBeside(const StoreDirectory &directory,
                                       const SealingPolicy &policy);

/// The findings of both.
[[nodiscard]] std::vector<StoreFinding> inBoth(const std::vector<StoreFinding> &first,
                                               const std::vector<StoreFinding> &second);

} // namespace keyhold
