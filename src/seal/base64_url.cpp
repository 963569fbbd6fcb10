// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/base64_url.h"

#include "conf/error.h"
#include "seal/sodium.h"

#include <sodium.h>

namespace keyhold {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

/// sodium_base642bin 1.0.18 takes each byte above 127 for an underscore.
bool hasForeignBytes(std::string_view text) noexcept {
    bool found = false;
    for (const char c : text)
        found |= c == '\0' || static_cast<unsigned char>(c) > 127;
    return found;
}

} // namespace

void encodeBase64Url(std::span<const std::uint8_t> bytes, std::span<char> text) {
    requireSodium();
    if (text.size() <= base64UrlSize(bytes.size()))
        throw Error(ErrorCode::internal, "no room for a base64 text");
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
}

std::optional<std::size_t> decodeBase64Url(std::string_view text, std::span<std::uint8_t> bytes) {
    requireSodium();
    std::size_t size = 0;
    // Without a place to store where the text ended, libsodium refuses what is left over.
    if (hasForeignBytes(text) ||
        sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size,
                          nullptr, kVariant) != 0)
        return std::nullopt;
    return size;
}

} // namespace keyhold
