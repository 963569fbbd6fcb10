// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "directory/inspection.h"
#include "seal/keyring.h"

#include <string>
#include <vector>

namespace keyhold::command {

/// Files that count for nothing now and that another key than the current one opens, or that may
/// need one: values without a definition, and quarantined ones. Paths.
[[nodiscard]] std::vector<std::string> idleFilesOfEarlierKeys(const StoreDirectory &directory,
                                                              const Inspection &inspection,
                                                              const Keyring &keyring);
/// How many values of secrets are under another key than the current one, or an unknown one.
[[nodiscard]] std::size_t valuesOfEarlierKeys(const Inspection &inspection, const Keyring &keyring);

} // namespace keyhold::command
