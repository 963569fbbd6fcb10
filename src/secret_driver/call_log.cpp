// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/call_log.h"

#include "abi/libvirt_log.h"
#include "conf/error.h"
#include "remote/caller.h"

#include <new>
#include <string>

namespace keyhold {

void noteCall(const Uuid &uuid, const char *what) {
    if (!abi::isLogged(abi::LogPriority::info))
        return;
    try {
        const std::string line = "secret " + inQuotes(uuid.toString()) + " " + what + " by " +
                                 caller::describe(caller::current());
        abi::log(abi::LogPriority::info, line.c_str());
    } catch (const std::bad_alloc &) {
        abi::log(abi::LogPriority::warning, "a call is not noted: out of memory");
    }
}

} // namespace keyhold
