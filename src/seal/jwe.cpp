// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/jwe.h"

#include "conf/bytes.h"
#include "conf/sodium.h"
#include "seal/base64.h"
#include "seal/ciphers.h"
#include "seal/jwe_header.h"
#include "seal/missing_key.h"
#include "seal/scratch.h"
#include "seal/value_error.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace keyhold {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Nonce = std::array<std::uint8_t, ciphers::kNonceSize>;

void append(std::string &text, std::span<const std::uint8_t> bytes) {
    const std::size_t start = text.size();
    const std::size_t size = base64UrlSize(bytes.size());
    text.resize(start + size + 1);
    encodeBase64Url(bytes, std::span(text).subspan(start));
    text.resize(start + size);
}

/// The parts of a text, not decoded.
struct Parts {
    std::string_view header;
    std::string_view encryptedKey;
    std::string_view nonce;
    std::string_view cipherText;
    std::string_view tag;
};

/// What was sealed; its form is right, and nothing is authenticated.
struct Sealed {
    Nonce nonce;
    Bytes box; ///< ciphertext and tag
};

JweHeader decodeHeader(std::string_view encoded) {
    std::array<std::uint8_t, kMaxJweHeaderSize> json;
    const auto size = encoded.size() <= base64UrlSize(json.size()) ? decodeBase64Url(encoded, json)
                                                                   : std::nullopt;
    if (!size)
        throw unreadable("is damaged: its protected header is too long or not base64url");
    return parseJweHeader({reinterpret_cast<const char *>(json.data()), *size});
}

Parts split(std::span<const std::uint8_t> bytes) {
    if (bytes.size() > kMaxJweSize)
        throw unreadable("is larger than " + std::to_string(kMaxJweSize) + " bytes");
    std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    // The newline that editors and shells put at the end of a file.
    if (text.ends_with('\n'))
        text.remove_suffix(1);

    Parts parts;
    const std::array before = {&parts.header, &parts.encryptedKey, &parts.nonce, &parts.cipherText};
    std::size_t dots = 0;
    for (std::string_view *part : before) {
        *part = text.substr(0, text.find('.'));
        dots += part->size() < text.size() ? 1 : 0;
        text.remove_prefix(std::min(part->size() + 1, text.size()));
    }
    parts.tag = text;
    if (dots != before.size() || text.find('.') != std::string_view::npos)
        throw unreadable("is damaged: it does not have the five parts of a JWE");
    return parts;
}

Sealed decode(const Parts &parts) {
    Sealed sealed;
    if (!parts.encryptedKey.empty())
        throw unreadable("is damaged: it has an encrypted key");
    if (decodeBase64Url(parts.nonce, sealed.nonce) != sealed.nonce.size())
        throw unreadable("is damaged: its initialization vector is not base64url of 12 bytes");
    // Three characters for two bytes is the most a canonical text yields.
    sealed.box.resize(parts.cipherText.size() / 4 * 3 + 2 + ciphers::kTagSize);
    const auto cipherSize = decodeBase64Url(parts.cipherText, sealed.box);
    if (!cipherSize)
        throw unreadable("is damaged: its ciphertext is not base64url");
    std::array<std::uint8_t, ciphers::kTagSize> tagBytes;
    if (decodeBase64Url(parts.tag, tagBytes) != tagBytes.size())
        throw unreadable("is damaged: its authentication tag is not base64url of 16 bytes");
    sealed.box.resize(*cipherSize + tagBytes.size());
    std::copy(tagBytes.begin(), tagBytes.end(),
              sealed.box.end() - static_cast<std::ptrdiff_t>(tagBytes.size()));
    return sealed;
}

/// Null if the header is not as this driver writes it, or the key is not there.
const Key *keyOfOwnHeader(const Keyring &keyring, const Uuid &uuid, std::string_view encoded) {
    for (const Key &key : keyring.keys()) {
        if (key.header().isFor(uuid, encoded))
            return &key;
    }
    return nullptr;
}

const Key &keyOf(const Keyring &keyring, const Uuid &uuid, const JweHeader &header) {
    if (header.uuid != uuid)
        throw unreadable("was sealed for secret " + inQuotes(header.uuid.toString()) +
                             ", not for this one",
                         "was sealed for another secret");
    const Key *key = keyring.find(header.keyId);
    if (key == nullptr)
        throw MissingKeyError(header.keyId,
                              "is sealed with key " + inQuotes(header.keyId) + ", which is not " +
                                  (keyring.missing().empty()
                                       ? "configured; name its file in secrets_encryption_key or "
                                         "secrets_decryption_keys of secret.conf and reload"
                                       : "among those that could be read: " + keyring.missing()));
    return *key;
}

} // namespace

std::string sealJwe(const Key &key, const Uuid &uuid, std::span<const std::uint8_t> value) {
    if (value.size() > kMaxJweValueSize)
        throw Error(ErrorCode::internal, "a value of more than " +
                                             std::to_string(kMaxJweValueSize) +
                                             " bytes cannot be sealed");
    std::string text;
    text.reserve(base64UrlSize(value.size()) + 512);
    append(text, bytesOf(formatJweHeader({key.id(), uuid})));
    Nonce nonce;
    fillRandom(nonce);
    Bytes box(value.size() + ciphers::kTagSize);
    ciphers::sealGcm(key.sealing(), nonce, bytesOf(text), value, box);
    const std::span<const std::uint8_t> sealed = box;
    text += "..";
    append(text, nonce);
    text += '.';
    append(text, sealed.first(value.size()));
    text += '.';
    append(text, sealed.last(ciphers::kTagSize));
    return text;
}

ShieldedValue openJwe(const Keyring &keyring, const Uuid &uuid, std::span<const std::uint8_t> text,
                      const Key **usedKey) {
    const Parts parts = split(text);
    const Key *key = keyOfOwnHeader(keyring, uuid, parts.header);
    std::optional<JweHeader> header;
    if (key == nullptr)
        header = decodeHeader(parts.header);
    const Sealed sealed = decode(parts);
    if (header)
        key = &keyOf(keyring, uuid, *header);
    Scratch plain(sealed.box.size() - ciphers::kTagSize);
    if (!ciphers::openGcm(key->sealing(), sealed.nonce, bytesOf(parts.header), sealed.box,
                          plain.bytes()))
        throw unreadable("was altered: it does not authenticate under key " + inQuotes(key->id()));
    if (usedKey != nullptr)
        *usedKey = key;
    return ShieldedValue::seal(uuid, plain.bytes());
}

std::string keyIdOfJwe(std::span<const std::uint8_t> text) {
    const Parts parts = split(text);
    JweHeader header = decodeHeader(parts.header);
    static_cast<void>(decode(parts)); // the rest has to be a JWE, too
    return std::move(header.keyId);
}

} // namespace keyhold
