// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/usage.h"

#include <vector>

namespace keyhold {

/// All that have a word, by number.
inline std::vector<UsageType> allUsageTypes() {
    std::vector<UsageType> all;
    for (int number = 0; usageWords(UsageType{number}).type != nullptr; ++number)
        all.push_back(UsageType{number});
    return all;
}

} // namespace keyhold
