// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/holder.h"
#include "command/target.h"
#include "command/told_state.h"
#include "conf/uuid.h"
#include "directory/inspection.h"

#include <map>
#include <optional>
#include <set>

namespace keyhold::command {

/// The secrets of `listed` that `inspection` found without a value, and of which the report of
/// their daemon says that it has one; whether they are private. What is found is looked at again
/// once the daemon has reported the changes of a moment ago. Empty where there is no such report.
/// Raises systemCall if the directory cannot be read.
[[nodiscard]] std::map<Uuid, bool>
findLostValues(const Target &target, const std::optional<Holder> &holder, const DriverView &view,
               const Inspection &inspection, const std::set<Uuid> &listed);

} // namespace keyhold::command
