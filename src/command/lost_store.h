// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"
#include "command/holder.h"
#include "command/target.h"

#include <optional>

namespace keyhold::command {

/// Of kind `store`: the directory has gone, or is not the one that `holder` has open, as where it
/// was exchanged or another file system is mounted over it. Empty if it is that one, if that cannot
/// be known, and without a holder.
[[nodiscard]] std::optional<Finding> lostStore(const Target &target,
                                               const std::optional<Holder> &holder);
/// What is at the place of a lost store says nothing of the values that are served. Raises
/// configUnsupported, with the remedy.
void requireNoLostStore(const Target &target, const std::optional<Holder> &holder);

} // namespace keyhold::command
