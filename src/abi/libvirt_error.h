// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold::abi {

/// Sets libvirt's thread-local error as virReportError does: level error, the code's own prefix
/// before `message`, str1 the prefix' format, str2 the message, int1 = int2 = -1. Domain and code
/// are virErrorDomain and virErrorNumber values. Keeps errno. Does nothing where libvirt has no
/// such function.
void raiseError(int domain, int code, const char *message, const char *file = __builtin_FILE(),
                const char *function = __builtin_FUNCTION(),
                unsigned int line = __builtin_LINE()) noexcept;

/// As virReportSystemError does: code VIR_ERR_SYSTEM_ERROR, ": " and the text of `systemErrno`
/// after `message`, int1 = systemErrno, int2 = -1. Keeps errno.
void raiseSystemError(int domain, int systemErrno, const char *message,
                      const char *file = __builtin_FILE(),
                      const char *function = __builtin_FUNCTION(),
                      unsigned int line = __builtin_LINE()) noexcept;

} // namespace keyhold::abi
