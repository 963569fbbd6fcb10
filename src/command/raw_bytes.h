// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// Bytes of keys and values between descriptors and guarded memory: no stream keeps a copy.
namespace keyhold::command {

/// Writes all of them, behind what was printed. Raises systemCall.
void writeToOutput(std::span<const std::uint8_t> bytes);

/// Reads standard input to its end, or until `into` is full, and returns how many bytes came.
/// Raises systemCall.
[[nodiscard]] std::size_t readInput(std::span<std::uint8_t> into);

} // namespace keyhold::command
