// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keyhold {

/// The text of a file below /proc (proc(5)); empty if it cannot be read.
[[nodiscard]] std::string textOfProc(const std::string &path);

/// When a process with this /proc/PID/stat started, in clock ticks since the boot (field 22): with
/// the number of the process it names it for good. 0 if the text does not have it.
[[nodiscard]] std::uint64_t startedIn(std::string_view stat);

} // namespace keyhold
