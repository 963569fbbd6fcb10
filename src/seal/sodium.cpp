// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/sodium.h"

#include "conf/error.h"

#include <sodium.h>

namespace keyhold {

void requireSodium() {
    static const bool ready = sodium_init() >= 0;
    if (!ready)
        throw Error(ErrorCode::internal, "libsodium could not be initialized");
}

} // namespace keyhold
