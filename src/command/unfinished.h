// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"
#include "command/store_keys.h"
#include "command/target.h"
#include "command/told_state.h"
#include "directory/inspection.h"

#include <optional>

namespace keyhold::command {

/// Of kind `unfinished`: a rotation or an `encrypt off` left values as they were, and no daemon is
/// at work on them. By the notes in the settings, or by what the driver reports.
[[nodiscard]] std::optional<Finding> unfinishedChange(const Target &target, const DriverView &view,
                                                      const HostKeys &keys,
                                                      const Inspection &inspection);

} // namespace keyhold::command
