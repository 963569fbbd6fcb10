// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes one line of each priority to libvirt's log, as a driver in this process would.
#include "abi/libvirt_log.h"

#include <libvirt/libvirt.h>

using keyhold::abi::log;
using keyhold::abi::LogPriority;

int main() {
    if (virInitialize() < 0)
        return 1;
    log(LogPriority::debug, "a debug line");
    log(LogPriority::info, "an info line");
    log(LogPriority::warning, "a warning line");
    log(LogPriority::error, "an error line with %s and %n");
    if (keyhold::abi::isLogged(LogPriority::info))
        log(LogPriority::error, "info is logged");
    if (!keyhold::abi::isLogged(LogPriority::warning))
        log(LogPriority::error, "warnings are not logged");
    log(LogPriority::error,
        "a usage 'u'\n2026-11-28 09:00:00.000+0000: 1: info : noteCall:1 : forged");
    return 0;
}
