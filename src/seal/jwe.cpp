// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/jwe.h"

#include "conf/error.h"
#include "conf/random.h"
#include "seal/base64_url.h"
#include "seal/ciphers.h"
#include "seal/jwe_header.h"
#include "seal/scratch.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace keyhold {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Nonce = std::array<std::uint8_t, ciphers::kNonceSize>;

std::span<const std::uint8_t> bytesOf(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

void append(std::string &text, std::span<const std::uint8_t> bytes) {
    const std::size_t start = text.size();
    const std::size_t size = base64UrlSize(bytes.size());
    text.resize(start + size + 1);
    encodeBase64Url(bytes, std::span(text).subspan(start));
    text.resize(start + size);
}

[[noreturn]] void refuse(const std::string &why) {
    throw Error(ErrorCode::valueUnreadable, why);
}

/// A text taken apart; its form is right, and nothing is authenticated.
struct Parts {
    std::string_view encodedHeader;
    JweHeader header;
    Nonce nonce;
    Bytes box; ///< ciphertext and tag
};

JweHeader decodeHeader(std::string_view encoded) {
    std::array<std::uint8_t, kMaxJweHeaderSize> json;
    const auto size = encoded.size() <= base64UrlSize(json.size()) ? decodeBase64Url(encoded, json)
                                                                   : std::nullopt;
    if (!size)
        refuse("is damaged: its protected header is too long or not base64url");
    return parseJweHeader({reinterpret_cast<const char *>(json.data()), *size});
}

Parts parse(std::span<const std::uint8_t> bytes) {
    if (bytes.size() > kMaxJweSize)
        refuse("is larger than " + std::to_string(kMaxJweSize) + " bytes");
    std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    // The newline that editors and shells put at the end of a file.
    if (text.ends_with('\n'))
        text.remove_suffix(1);

    std::array<std::string_view, 5> part;
    if (std::count(text.begin(), text.end(), '.') != part.size() - 1)
        refuse("is damaged: it does not have the five parts of a JWE");
    for (std::string_view &each : part) {
        each = text.substr(0, text.find('.'));
        text.remove_prefix(std::min(each.size() + 1, text.size()));
    }
    const auto &[encodedHeader, encryptedKey, nonce, cipherText, tag] = part;

    Parts parts;
    parts.encodedHeader = encodedHeader;
    parts.header = decodeHeader(encodedHeader);
    if (!encryptedKey.empty())
        refuse("is damaged: it has an encrypted key");
    if (decodeBase64Url(nonce, parts.nonce) != parts.nonce.size())
        refuse("is damaged: its initialization vector is not base64url of 12 bytes");
    // Three characters for two bytes is the most a canonical text yields.
    parts.box.resize(cipherText.size() / 4 * 3 + 2 + ciphers::kTagSize);
    const auto cipherSize = decodeBase64Url(cipherText, parts.box);
    if (!cipherSize)
        refuse("is damaged: its ciphertext is not base64url");
    std::array<std::uint8_t, ciphers::kTagSize> tagBytes;
    if (decodeBase64Url(tag, tagBytes) != tagBytes.size())
        refuse("is damaged: its authentication tag is not base64url of 16 bytes");
    parts.box.resize(*cipherSize + tagBytes.size());
    std::copy(tagBytes.begin(), tagBytes.end(),
              parts.box.end() - static_cast<std::ptrdiff_t>(tagBytes.size()));
    return parts;
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
    const Parts parts = parse(text);
    if (parts.header.uuid != uuid)
        refuse("was sealed for secret '" + parts.header.uuid.toString() + "', not for this one");
    const Key *key = keyring.find(parts.header.keyId);
    if (key == nullptr)
        throw Error(ErrorCode::invalidEncryptionKey,
                    "is sealed with key '" + parts.header.keyId + "', which is not " +
                        (keyring.missing().empty()
                             ? "configured; name its file in secrets_encryption_key or "
                               "secrets_decryption_keys of secret.conf and reload"
                             : "among those that could be read: " + keyring.missing()));
    Scratch plain(parts.box.size() - ciphers::kTagSize);
    if (!ciphers::openGcm(key->sealing(), parts.nonce, bytesOf(parts.encodedHeader), parts.box,
                          plain.bytes()))
        refuse("was altered: it does not authenticate under key '" + key->id() + "'");
    if (usedKey != nullptr)
        *usedKey = key;
    return ShieldedValue::seal(uuid, plain.bytes());
}

std::string keyIdOfJwe(std::span<const std::uint8_t> text) {
    return parse(text).header.keyId;
}

} // namespace keyhold
