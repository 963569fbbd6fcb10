// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"

#include <optional>
#include <string>

namespace keyhold::command {

/// Whether no file of the directory can be made or replaced, by anybody: its file system is mounted
/// read-only, or it is immutable or append-only (chattr(1)).
[[nodiscard]] std::optional<Finding> readOnlyFinding(const std::string &directory);

} // namespace keyhold::command
