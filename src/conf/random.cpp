// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/random.h"

#include <sodium.h>

namespace keyhold {

void fillRandom(std::span<std::uint8_t> bytes) noexcept {
    // Prepares libsodium's random source, which is not safe for threads before. Its result may be
    // ignored: what it could not prepare, randombytes_buf() prepares itself.
    [[maybe_unused]] static const int initialized = sodium_init();
    randombytes_buf(bytes.data(), bytes.size());
}

} // namespace keyhold
