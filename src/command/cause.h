// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"

#include <cstddef>
#include <string>
#include <vector>

namespace keyhold::command {

/// Findings that one thing is to blame for, such as a key that is missing.
struct Cause {
    Finding first; ///< of them, in the order in which they were found
    std::size_t count = 0;

    bool operator==(const Cause &) const = default;
};

/// Each finding counts for one cause. The worst come first: unreadable values, what the driver
/// does, the settings, then the rest by kind; among equals what has more findings.
[[nodiscard]] std::vector<Cause> causesOf(const std::vector<Finding> &findings);

/// A line for people.
[[nodiscard]] std::string textOf(const Cause &cause);
[[nodiscard]] Json jsonOf(const std::vector<Cause> &causes);

/// Prints a line a cause, each behind `indent`; with `isVerbose` a line a finding, in the same
/// order of kinds.
void printCauses(const std::vector<Finding> &findings, bool isVerbose, const char *indent = "");

} // namespace keyhold::command
