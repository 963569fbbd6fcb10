// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>

namespace keyhold {

/// A re-encryption of stored values that has ended.
struct EndedReencryption {
    std::int64_t ended = 0;      ///< seconds since the epoch
    std::size_t reencrypted = 0; ///< values
    std::size_t failed = 0;      ///< values, which stayed as they were
};

} // namespace keyhold
