// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold {

/// Prepares libsodium, once per process; to be called before its allocator, its random numbers and
/// its ciphers are used. In 1.0.18 that probes the processor and asks the kernel for random bytes;
/// no signal or fork handler, thread or descriptor is left behind. Raises internal.
void requireSodium();

} // namespace keyhold
