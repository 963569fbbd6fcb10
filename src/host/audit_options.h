// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/trail.h"
#include "conf/settings.h"
#include "host/instance_paths.h"

#include <optional>
#include <string>

namespace keyhold {

/// What an instance with these settings has as its audit trail; empty if it has none.
[[nodiscard]] std::optional<audit::Options> auditOptions(const Settings &settings,
                                                         const InstancePaths &paths);

/// Where that is. A root that has taken over the settings of the system writes below its own
/// directory all the same.
[[nodiscard]] std::string auditFileOf(const Settings &settings, const InstancePaths &paths);

} // namespace keyhold
