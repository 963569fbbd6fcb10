// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"
#include "seal/keyring.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keyhold {

using Bytes = std::vector<std::uint8_t>;

/// Files that were not made by the code under test; golden/README.md says how.
namespace golden {

Bytes read(const std::string &name);
std::vector<std::string> namesIn(const std::string &directory);

/// The secret that the files are of.
Uuid uuid();
/// 00 01 02 ... and so on, from `first`. The golden key file is counted(0).
std::array<std::uint8_t, Key::kSize> counted(std::uint8_t first);
/// A keyring with counted(first) as its current key.
Keyring keyring(std::uint8_t first = 0);

} // namespace golden

inline std::span<const std::uint8_t> bytesOf(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

} // namespace keyhold
