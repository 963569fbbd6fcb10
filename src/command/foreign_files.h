// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"
#include "conf/settings.h"
#include "os/store_directory.h"

#include <vector>

namespace keyhold::command {

/// Files of the store's directory whose names mention no secret, and that hold a value in plain or
/// a key: archives of `keyhold backup --plain`, base64 text, key files. Of a file that may be a
/// value at most 128 KiB are read, of an archive 8 MiB; a larger archive may hold anything. Keys
/// that `plan` names are left to keyPlaces(). Raises systemCall if the directory cannot be read.
[[nodiscard]] std::vector<Finding> foreignFiles(const StoreDirectory &directory,
                                                const KeyPlan &plan);

} // namespace keyhold::command
