// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace keyhold {

/// SipHash-2-4 under a random key that is made once per process: whoever chooses the bytes cannot
/// choose which hashes collide. Different in every process, so never to be stored.
[[nodiscard]] std::size_t keyedHash(std::span<const std::uint8_t> bytes) noexcept;

} // namespace keyhold
