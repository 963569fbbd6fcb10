// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/flags.h"

#include "abi/libvirt_error.h"
#include "remote/error_report.h"

#include <libvirt/virterror.h>

#include <cstdio>

namespace keyhold {

void requireFlags(unsigned int flags, unsigned int supported, const char *function,
                  SourcePlace place) {
    const unsigned int unknown = flags & ~supported;
    if (unknown == 0)
        return;
    char text[128];
    static_cast<void>(std::snprintf(text, sizeof(text), "unsupported flags (0x%x) in function %s",
                                    unknown, function));
    abi::raiseInvalidArgument(VIR_FROM_SECRET, function, "flags", text, place);
    throw ErrorAlreadyRaised();
}

} // namespace keyhold
