// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "seal/shield.h"

#include <cstdint>
#include <vector>

namespace keyhold {

/// The bytes of a value, for a test to compare.
inline std::vector<std::uint8_t> plainOf(const ShieldedValue &value, const Uuid &uuid) {
    Scratch plain(value.size());
    value.openInside(uuid, plain);
    return {plain.bytes().begin(), plain.bytes().end()};
}

} // namespace keyhold
