// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/sodium.h"

#include "conf/error.h"

#include <sodium.h>

#include <array>
#include <cstring>
#include <type_traits>

namespace keyhold {

namespace {

bool prepareSodium() noexcept {
    static const bool isReady = sodium_init() >= 0;
    return isReady;
}

using HashKey = std::array<std::uint8_t, crypto_shorthash_KEYBYTES>;
static_assert(std::is_trivially_destructible_v<HashKey>);

const HashKey &processKey() noexcept {
    static const HashKey key = [] {
        HashKey made{};
        fillRandom(made);
        return made;
    }();
    return key;
}

} // namespace

void requireSodium() {
    if (!prepareSodium())
        throw Error(ErrorCode::internal, "libsodium could not be initialized");
}

void fillRandom(std::span<std::uint8_t> bytes) noexcept {
    // The random source is not safe for threads before. What could not be prepared,
    // randombytes_buf() prepares itself.
    static_cast<void>(prepareSodium());
    randombytes_buf(bytes.data(), bytes.size());
}

std::size_t keyedHash(std::span<const std::uint8_t> bytes) noexcept {
    std::array<std::uint8_t, crypto_shorthash_BYTES> digest{};
    crypto_shorthash(digest.data(), bytes.data(), bytes.size(), processKey().data());
    std::size_t hash = 0;
    static_assert(sizeof hash <= digest.size());
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
}

} // namespace keyhold
