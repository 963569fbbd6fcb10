// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <source_location>

namespace keyhold::abi {

enum class LogPriority : int { debug = 1, info = 2, warning = 3, error = 4 }; // virLogPriority

/// Writes one line to libvirt's log, under the source "secret.keyhold" that log filters can name.
/// Does nothing while symbols are not loaded.
void log(LogPriority priority, const char *message,
         const std::source_location &where = std::source_location::current()) noexcept;

} // namespace keyhold::abi
