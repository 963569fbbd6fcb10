// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "client/connection.h"

#include <cstdint>
#include <functional>
#include <string>

namespace keyhold::bench {

/// One call that only reads, with a number that chooses the secret; raises if the answer is wrong.
using Read = std::function<void(std::uint64_t choice)>;

/// `list` included, what is handed back is released within the call.
[[nodiscard]] Read readNamed(const Target &target, const std::string &name);

/// The reads of a store, one after the other.
///   read NAME TIMES      seconds a call, and processor seconds (cpu)
///   list TIMES           seconds a virConnectListAllSecrets; freeing its handles is not in it
///   threads NAME SECONDS THREADS   calls a second
[[nodiscard]] Figures readRepeatedly(const Target &target, const Words &words);
[[nodiscard]] Figures listRepeatedly(const Target &target, const Words &words);
[[nodiscard]] Figures readInThreads(const Target &target, const Words &words);

} // namespace keyhold::bench
