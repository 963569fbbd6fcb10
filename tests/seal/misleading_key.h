// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "seal/aes256cbc.h"

#include <array>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>

namespace keyhold {

/// 32 bytes under which `text`, encrypted by libvirt with another key, has a well-formed padding.
/// One in 256 has; the search begins at `seed` and answers the same each time.
inline std::array<std::uint8_t, Key::kSize> misleadingKey(std::string_view text,
                                                          std::uint8_t seed = 0x80) {
    std::array<std::uint8_t, Key::kSize> raw{};
    raw.fill(seed);
    for (unsigned i = 0; i < 20'000; ++i) {
        raw[0] = static_cast<std::uint8_t>(i);
        raw[1] = static_cast<std::uint8_t>(i >> 8);
        Keyring alone;
        alone.setPrimary(raw);
        try {
            static_cast<void>(openAes256Cbc(
                alone, Uuid(), {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()}));
            return raw;
        } catch (const Error &) {
            continue;
        }
    }
    throw std::runtime_error("no key fits");
}

} // namespace keyhold
