// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/store_directory.h"
#include "store/backend.h"

#include <string>
#include <utility>
#include <vector>

namespace keyhold {

/// What is in the directory of a store, by the names alone.
struct Listing {
    std::vector<ListedSecret> secrets;                 ///< in the order of the directory
    std::vector<std::pair<Uuid, ValueFormat>> orphans; ///< values without a definition
    std::vector<std::string> privateNames;
    std::vector<std::string> misnamed; ///< what looks like a definition and has no uuid for a name
    std::vector<std::string> quarantined; ///< values that are kept and count for nothing
    std::vector<std::string> unknown;     ///< other names that mention a secret
    std::vector<std::string> foreign;     ///< all other names
};

/// Raises systemCall if the directory cannot be read to its end.
[[nodiscard]] Listing listStore(const StoreDirectory &directory);

} // namespace keyhold
