// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"

#include <cstdio>
#include <string>

namespace keyhold {

/// Raises invalidArgument if `flags` has a bit outside `supported`; the text names the unknown bits and
/// the entry by the stock driver's name for it.
inline void requireFlags(unsigned int flags, unsigned int supported, const char *entry) {
    if ((flags & ~supported) == 0)
        return;
    char unknown[16];
    std::snprintf(unknown, sizeof(unknown), "0x%x", flags & ~supported);
    throw Error(ErrorCode::invalidArgument,
                std::string("unsupported flags (") + unknown + ") in function " + entry);
}

} // namespace keyhold
