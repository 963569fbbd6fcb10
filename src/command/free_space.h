// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// What is left of a file system for users who are not privileged.
struct FreeSpace {
    std::uint64_t bytes = 0;
    std::uint64_t allBytes = 0;
    std::uint64_t inodes = 0;
    std::uint64_t allInodes = 0; ///< 0 where the file system has no limit of its own
};

/// Empty if the kernel does not say.
[[nodiscard]] std::optional<FreeSpace> freeSpaceAt(const std::string &directory);
/// Full where a change of a secret may fail; little from 5 % on, if that is not much by itself.
[[nodiscard]] std::vector<Finding> findingsOf(const FreeSpace &space, const std::string &directory);

} // namespace keyhold::command
