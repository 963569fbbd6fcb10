// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <span>

namespace keyhold {

/// Fills the bytes from the kernel's random source, good enough for keys. Any thread may call it.
void fillRandom(std::span<std::uint8_t> bytes) noexcept;

} // namespace keyhold
