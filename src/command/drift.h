// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"
#include "command/holder.h"
#include "command/target.h"
#include "directory/inspection.h"

#include <chrono>
#include <optional>
#include <set>
#include <string>

namespace keyhold::command {

/// How long a daemon may take to list its secrets.
inline constexpr std::chrono::seconds kListPatience{10};

/// Uuids of what a daemon lists.
struct ListedSecrets {
    std::set<std::string> all;
    std::set<std::string> persistent;
};

/// What differs between the files of a store and what its daemon lists.
struct Drift {
    std::string unknown; ///< why it could not be compared; empty if it was, or nobody holds it
    std::set<std::string> unlisted;    ///< definitions in files that the daemon does not list
    std::set<std::string> withoutFile; ///< persistent secrets that the daemon lists without a file
};

/// By what was on disk `before` and `after` the list was made: what changed between the two is
/// none.
[[nodiscard]] Drift compare(const std::set<std::string> &before, const ListedSecrets &listed,
                            const std::set<std::string> &after);

/// Asks the daemon that holds the store through libvirt, without starting one, for as long as
/// kListPatience. Definitions that `inspection` found unusable are not compared.
[[nodiscard]] Drift findDrift(const Target &target, const std::optional<Holder> &holder,
                              const Inspection &inspection);

/// One for each direction, with a count.
[[nodiscard]] std::vector<Finding> driftFindings(const Drift &drift, const Target &target,
                                                 const std::optional<Holder> &holder);

} // namespace keyhold::command
