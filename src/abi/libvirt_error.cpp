// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/libvirt_error.h"

#include "abi/symbols.h"

namespace keyhold::abi {

void raiseError(int domain, int code, const char *message, const char *file, const char *function,
                unsigned int line) noexcept {
    if (auto *report = symbols().virReportErrorHelper)
        report(domain, code, file, function, line, "%s", message);
}

void raiseSystemError(int domain, int systemErrno, const char *message, const char *file,
                      const char *function, unsigned int line) noexcept {
    if (auto *report = symbols().virReportSystemErrorFull)
        report(domain, systemErrno, file, function, line, "%s", message);
}

} // namespace keyhold::abi
