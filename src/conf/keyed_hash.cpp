// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/keyed_hash.h"

#include "conf/random.h"

#include <sodium.h>

#include <array>
#include <cstring>
#include <type_traits>

namespace keyhold {

namespace {

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

std::size_t keyedHash(std::span<const std::uint8_t> bytes) noexcept {
    std::array<std::uint8_t, crypto_shorthash_BYTES> digest{};
    crypto_shorthash(digest.data(), bytes.data(), bytes.size(), processKey().data());
    std::size_t hash = 0;
    static_assert(sizeof hash <= digest.size());
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
}

} // namespace keyhold
