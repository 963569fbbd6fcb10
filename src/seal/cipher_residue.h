// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>

namespace keyhold {

/// Wipes what ciphers leave behind when they return: `stackSize` bytes of the stack below the
/// caller's frame, but for the small frames of the wiping, and the vector registers of x86-64,
/// which hold plain bytes, key stream and round keys until something else needs them. A core dump
/// shows both. Other processors' registers are left as they are.
void wipeResidue(std::size_t stackSize) noexcept;

} // namespace keyhold
