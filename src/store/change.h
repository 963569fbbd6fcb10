// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/usage.h"
#include "conf/uuid.h"

namespace keyhold {

/// What watchers of a store are told, with the identity the secret had at that moment.
struct Change {
    enum class Kind { defined, valueChanged, undefined };

    Kind kind;
    Uuid uuid;
    Usage usage;
};

} // namespace keyhold
