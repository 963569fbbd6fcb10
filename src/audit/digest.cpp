// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/digest.h"

#include "conf/error.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

namespace keyhold::audit {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

void requireSuccess(int result, const char *what) {
    if (result < 0)
        throw Error(ErrorCode::internal, std::string(what) + ": " + gnutls_strerror(result));
}

} // namespace

Digest sha256(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second) {
    constexpr const char *kWhat = "cannot compute a SHA-256";
    Digest digest;
    if (second.empty()) {
        requireSuccess(
            gnutls_hash_fast(GNUTLS_DIG_SHA256, first.data(), first.size(), digest.data()), kWhat);
        return digest;
    }
    gnutls_hash_hd_t hash = nullptr;
    requireSuccess(gnutls_hash_init(&hash, GNUTLS_DIG_SHA256), kWhat);
    int result = gnutls_hash(hash, first.data(), first.size());
    if (result >= 0)
        result = gnutls_hash(hash, second.data(), second.size());
    gnutls_hash_deinit(hash, digest.data());
    requireSuccess(result, kWhat);
    return digest;
}

Digest hmacSha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> message) {
    Digest digest;
    requireSuccess(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.data(), key.size(), message.data(),
                                    message.size(), digest.data()),
                   "cannot compute an HMAC-SHA-256");
    return digest;
}

std::string hexOf(const Digest &digest) {
    std::string text;
    text.reserve(2 * digest.size());
    for (const std::uint8_t byte : digest) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::optional<Digest> digestOf(std::string_view hex) {
    Digest digest;
    if (hex.size() != 2 * digest.size())
        return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const std::size_t high = kDigits.find(hex[2 * i]);
        const std::size_t low = kDigits.find(hex[2 * i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos)
            return std::nullopt;
        digest[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return digest;
}

} // namespace keyhold::audit
