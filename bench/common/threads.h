// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>

namespace keyhold::bench {

/// Runs `work(0)` to `work(count - 1)`, each in a thread of its own, all beginning at once; returns
/// the wall seconds from the begin of the first to the end of the last. Raises what the first one
/// raised that failed.
double timeThreads(unsigned count, const std::function<void(unsigned)> &work);

} // namespace keyhold::bench
