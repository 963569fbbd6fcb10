// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"
#include "command/holder.h"
#include "command/target.h"
#include "command/told_state.h"
#include "conf/uuid.h"
#include "directory/inspection.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace keyhold::command {

/// What differs between the files of a store and what its daemon lists.
struct Drift {
    std::string unknown;     ///< why it could not be compared; empty if it was, or nobody holds it
    std::set<Uuid> unlisted; ///< definitions in files that the daemon does not list
    /// Definitions that no daemon would load, and this one does not list.
    std::set<Uuid> unusable;
    std::set<Uuid> withoutFile; ///< persistent secrets that the daemon lists without a file
    /// Definitions without a value file, where the daemon has a value; whether they are private.
    std::map<Uuid, bool> withoutValue;
};

/// Asks the daemon that holds the store through libvirt, without starting one. Definitions that
/// `inspection` found unusable are not compared. No value is read off the daemon: which secrets
/// have one, it says in its report.
[[nodiscard]] Drift findDrift(const Target &target, const std::optional<Holder> &holder,
                              const DriverView &view, const Inspection &inspection);

/// Of definitions with one use, the one that counts is the one that the daemon lists: `inspection`
/// has the one that its next start would load. Asks as findDrift(), if there are any.
void reconcileSameUses(const Target &target, const std::optional<Holder> &holder,
                       Inspection &inspection);

/// One for each direction, with a count, and one for each value that no file holds.
[[nodiscard]] std::vector<Finding> driftFindings(const Drift &drift, const Target &target,
                                                 const std::optional<Holder> &holder);

} // namespace keyhold::command
