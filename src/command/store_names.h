// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"
#include "directory/store_finding.h"
#include "os/store_directory.h"

#include <vector>

namespace keyhold::command {

/// The secrets that have a definition, in the order of their uuids. A name that is replaced while a
/// directory is read may be missed, so it is read twice, and what is in either counts.
[[nodiscard]] std::vector<Uuid> secretsIn(const StoreDirectory &directory);

/// Value files without a definition, quarantined ones, and names that are nearly those of a secret:
/// what no listing of secrets has, and what is of changes at work left out.
[[nodiscard]] std::vector<StoreFinding> strayFilesIn(const StoreDirectory &directory);

} // namespace keyhold::command
