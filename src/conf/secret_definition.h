// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/usage.h"
#include "conf/uuid.h"

#include <string>

namespace keyhold {

/// What a `<secret>` document says; never the value.
struct SecretDefinition {
    Uuid uuid;
    bool isEphemeral = false;
    bool isPrivate = false;
    std::string description; ///< empty: no description; XML has no difference between the two
    Usage usage;

    bool operator==(const SecretDefinition &) const = default;
};

} // namespace keyhold
