// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold::abi {

enum class LogPriority : int { debug = 1, info = 2, warning = 3, error = 4 }; // virLogPriority

/// Whether a line of this priority would be written. Without a lock, as libvirt's own decision: for
/// leaving out the work of making a line.
[[nodiscard]] bool isLogged(LogPriority priority) noexcept;

/// Writes one line to libvirt's log, under the source "secret.keyhold" that log filters can name.
/// What could make it look like several, or act on a terminal, is escaped (abi/log_text.h).
/// Does nothing where libvirt has no such function.
void log(LogPriority priority, const char *message, const char *file = __builtin_FILE(),
         const char *function = __builtin_FUNCTION(),
         unsigned int line = __builtin_LINE()) noexcept;

} // namespace keyhold::abi
