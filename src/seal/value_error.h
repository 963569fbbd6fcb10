// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"

namespace keyhold {

/// A stored value is damaged, or is not what it claims to be. `why` begins with a verb: who read
/// the file puts its name before. Internal to this room.
[[nodiscard]] inline Error unreadable(std::string why, SourcePlace place = SourcePlace::current()) {
    return {ErrorCode::valueUnreadable, std::move(why), 0, place};
}

} // namespace keyhold
