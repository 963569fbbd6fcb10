// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <source_location>

namespace keyhold::abi {

/// Sets libvirt's thread-local error as virReportError does: level error, the code's own prefix before
/// `message`, str1 the prefix' format, str2 the message, int1 = int2 = -1. Domain and code are
/// virErrorDomain and virErrorNumber values.
void raiseError(int domain, int code, const char *message,
                const std::source_location &where = std::source_location::current()) noexcept;

/// As virReportSystemError does: code VIR_ERR_SYSTEM_ERROR, the text of `systemErrno` after
/// `message`, int1 = systemErrno.
void raiseSystemError(int domain, int systemErrno, const char *message,
                      const std::source_location &where = std::source_location::current()) noexcept;

} // namespace keyhold::abi
