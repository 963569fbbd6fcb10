// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace keyhold {

/// Prepares libsodium, once per process; to be called before its allocator and its ciphers are
/// used. In 1.0.18 that probes the processor and asks the kernel for random bytes; no signal or
/// fork handler, thread or descriptor is left behind. Raises internal.
void requireSodium();

/// Fills the bytes from the kernel's random source, good enough for keys. Any thread may call it.
void fillRandom(std::span<std::uint8_t> bytes) noexcept;

/// SipHash-2-4 under a random key that is made once per process: whoever chooses the bytes cannot
/// choose which hashes collide. Different in every process, so never to be stored.
[[nodiscard]] std::size_t keyedHash(std::span<const std::uint8_t> bytes) noexcept;

} // namespace keyhold
