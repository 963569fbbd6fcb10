// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"

#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// The module that a daemon of this host would load; empty if there is none.
[[nodiscard]] std::optional<std::string> installedModule();
/// What keeps this file from being loaded, by the dynamic linker's own list (ld.so(8)), which runs
/// nothing of it. It is waited for 10 seconds.
[[nodiscard]] std::vector<Finding> missingLibraries(const std::string &module);
/// The same of its output and what it exits with.
[[nodiscard]] std::vector<Finding> missingIn(const std::string &module, const std::string &output,
                                             int exit);

} // namespace keyhold::command
