// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/digest.h"

#include "conf/error.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sodium.h>

namespace keyhold::audit {

namespace {

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
    std::string text(2 * digest.size() + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
    text.pop_back();
    return text;
}

std::optional<Digest> digestOf(std::string_view hex) {
    Digest digest;
    std::size_t size = 0;
    const bool isHex = sodium_hex2bin(digest.data(), digest.size(), hex.data(), hex.size(), nullptr,
                                      &size, nullptr) == 0;
    // It takes capital letters as well, of which two lines would say the same.
    return isHex && size == digest.size() && hexOf(digest) == hex ? std::optional(digest)
                                                                  : std::nullopt;
}

} // namespace keyhold::audit
