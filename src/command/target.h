// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "host/instance_paths.h"

#include <string>
#include <vector>

namespace keyhold::command {

/// A store that the command looks at or changes.
struct Target {
    enum class Kind { system, session, embedded };

    Kind kind;
    InstancePaths paths;
    std::string root; ///< of an embedded one, absolute

    /// For people and machines: "system", "session", or "embedded".
    [[nodiscard]] const char *name() const noexcept;
};

/// What the command line says.
struct TargetChoice {
    bool wantsSystem = false;
    bool wantsSession = false;
    std::vector<std::string> roots;
};

/// The stores that were named, each once, or the one of the user of this process, if it exists: the
/// system's for root, else the session's. Raises invalidArgument for one that cannot be, notFound
/// for one that was named and has no directory.
[[nodiscard]] std::vector<Target> chooseTargets(const TargetChoice &choice);
/// The same where exactly one is wanted; raises notFound if there is none, configUnsupported if a
/// process serves what was there.
[[nodiscard]] Target chooseTarget(const TargetChoice &choice);
/// The stores that were named, or the system's, whoever asks; their directories need not be there.
[[nodiscard]] std::vector<Target> chooseWatched(const TargetChoice &choice);
/// As chooseTarget() for its settings alone: its directory need not be there.
[[nodiscard]] Target chooseSettings(const TargetChoice &choice);
/// Whether its directory is there. Raises fileAccess if that cannot be seen.
[[nodiscard]] bool exists(const Target &target);

} // namespace keyhold::command
