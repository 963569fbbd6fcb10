// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/libvirt_error.h"

#include "abi/symbols.h"

namespace keyhold::abi {

void raiseError(int domain, int code, const char *message, SourcePlace where) noexcept {
    if (auto *report = symbols().virReportErrorHelper)
        report(domain, code, where.file(), where.function, where.line, "%s", message);
}

void raiseSystemError(int domain, int systemErrno, const char *message,
                      SourcePlace where) noexcept {
    if (auto *report = symbols().virReportSystemErrorFull)
        report(domain, systemErrno, where.file(), where.function, where.line, "%s", message);
}

} // namespace keyhold::abi
