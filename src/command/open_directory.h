// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/file_system.h"

#include <optional>

#include <sys/types.h>

namespace keyhold::command {

/// Whether the process has this directory open; empty if its files cannot be looked at.
[[nodiscard]] std::optional<bool> hasOpen(pid_t pid, const FileStatus &directory);

} // namespace keyhold::command
