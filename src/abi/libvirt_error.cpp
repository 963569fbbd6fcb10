// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/libvirt_error.h"

#include "abi/symbols.h"

#include <libvirt/virterror.h>

namespace keyhold::abi {

void raiseError(int domain, int code, const char *message, SourcePlace where) noexcept {
    if (auto *report = symbols().virReportErrorHelper)
        report(domain, code, where.file(), where.function, where.line, "%s", message);
}

void raiseInvalidArgument(int domain, const char *function, const char *argument,
                          const char *message, SourcePlace where) noexcept {
    if (auto *raise = symbols().virRaiseErrorFull)
        raise(where.file(), where.function, where.line, domain, VIR_ERR_INVALID_ARG, VIR_ERR_ERROR,
              function, argument, nullptr, 0, 0, "%s", message);
}

void raiseSystemError(int domain, int systemErrno, const char *message,
                      SourcePlace where) noexcept {
    if (auto *report = symbols().virReportSystemErrorFull)
        report(domain, systemErrno, where.file(), where.function, where.line, "%s", message);
}

} // namespace keyhold::abi
