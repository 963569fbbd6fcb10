// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "client/connection.h"

namespace keyhold::bench {

///   latency NAME SECONDS BESIDE
/// How long single calls of one thread take while another does nothing (idle), sets the value of
/// one secret in a loop (set), or lets the driver reload its store again and again (reload): mean,
/// p50, p99 and max in seconds, the number of calls, and how often the other came around.
[[nodiscard]] Figures latency(const Target &target, const Words &words);

/// Seconds of one reload, and how often it read from a file, of a process that is its own session
/// daemon.
[[nodiscard]] Figures reload();

} // namespace keyhold::bench
