// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"

#include <optional>

namespace keyhold {

/// What `call` raises; empty if it returns.
template <typename Call>
std::optional<Error> raisedBy(Call call) {
    try {
        call();
    } catch (const Error &error) {
        return error;
    }
    return std::nullopt;
}

} // namespace keyhold
