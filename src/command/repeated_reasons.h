// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"

#include <vector>

namespace keyhold::command {

/// A key that is missing shows in the settings, in what the driver does, and in each value that
/// needs it. Leaves of these the worst: the values if there are any, and says there that new ones
/// are refused if they are. What has another reason stays.
void removeRepeatedReasons(std::vector<Finding> &findings);

} // namespace keyhold::command
