// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <functional>

namespace keyhold {

/// Calls `work` with each number below `count`, on as many threads as the process has processors,
/// the calling one included; a thread takes `batch` numbers at once, few enough to share evenly and
/// enough to be cheap. Fewer threads than wanted, or none, only make it slower. The threads
/// block all signals, which are the host's business, and are joined before this returns. The first
/// exception that `work` raises ends the rest and is raised here.
void parallelFor(std::size_t count, const std::function<void(std::size_t)> &work,
                 std::size_t batch = 64);

} // namespace keyhold
