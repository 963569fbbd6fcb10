// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/aes256cbc.h"

#include "seal/base64.h"
#include "seal/ciphers.h"
#include "seal/missing_key.h"
#include "seal/scratch.h"
#include "seal/value_error.h"

#include <vector>

namespace keyhold {
namespace {

using ciphers::kBlockSize;

[[noreturn]] void lackKey(const std::string &why, SourcePlace place = SourcePlace::current()) {
    throw MissingKeyError({}, why, place);
}

/// What `text` encodes; not secret.
std::vector<std::uint8_t> decode(std::span<const std::uint8_t> text) {
    std::vector<std::uint8_t> bytes(text.size() / 4 * 3 + 3);
    const auto size = decodePlain(text, bytes);
    if (!size || *size < 2 * kBlockSize || *size % kBlockSize != 0)
        throw unreadable(
            "is damaged: it is not base64 of an initialization vector and whole blocks");
    bytes.resize(*size);
    return bytes;
}

/// Bytes of padding at the end of a block, or 0 if it is not that of PKCS #7: n bytes of value n.
std::size_t paddingOf(std::span<const std::uint8_t> block) noexcept {
    const std::size_t size = block.back();
    if (size == 0 || size > kBlockSize)
        return 0;
    std::uint8_t differences = 0;
    for (const std::uint8_t byte : block.last(size))
        differences |= static_cast<std::uint8_t>(byte ^ block.back());
    return differences == 0 ? size : 0;
}

/// The last block is all it takes to see the padding; the block before it is its chaining value.
std::size_t paddingUnder(const Key &key, std::span<const std::uint8_t> bytes) {
    Scratch block(kBlockSize);
    ciphers::decryptCbc(key.raw(), bytes.last(2 * kBlockSize).first<kBlockSize>(),
                        bytes.last(kBlockSize), block.bytes());
    return paddingOf(block.bytes());
}

} // namespace

std::size_t aes256CbcSize(std::size_t valueSize) noexcept {
    return kBlockSize + (valueSize / kBlockSize + 1) * kBlockSize;
}

ShieldedValue openAes256Cbc(const Keyring &keyring, const Uuid &uuid,
                            std::span<const std::uint8_t> text) {
    const std::vector<std::uint8_t> decoded = decode(text);
    const std::span<const std::uint8_t> bytes = decoded;
    if (keyring.keys().empty() && keyring.missing().empty())
        lackKey("is encrypted by libvirt, and no key is configured; name the key file in "
                "secrets_encryption_key or secrets_decryption_keys of secret.conf and reload");
    const Key *right = nullptr;
    std::size_t padding = 0;
    for (const Key &key : keyring.keys()) {
        const std::size_t found = paddingUnder(key, bytes);
        if (found == 0)
            continue;
        if (right != nullptr)
            lackKey("is encrypted by libvirt, which does not name the key, and more than one of "
                    "the configured keys seems to fit; leave only the right one in secret.conf, "
                    "reload and set the value again");
        right = &key;
        padding = found;
    }
    if (right == nullptr && !keyring.missing().empty())
        lackKey("is encrypted by libvirt, and no key that could be read fits: " +
                keyring.missing());
    if (right == nullptr)
        lackKey("is encrypted by libvirt, and no configured key fits (or the file is damaged); "
                "name the key file in secrets_encryption_key or secrets_decryption_keys of "
                "secret.conf and reload");
    if (right != keyring.primary() && !keyring.missing().empty())
        lackKey(
            "is encrypted by libvirt, which does not name the key; an earlier key seems to fit, "
            "and the right one may be the one that could not be read: " +
            keyring.missing());
    Scratch plain(bytes.size() - kBlockSize);
    ciphers::decryptCbc(right->raw(), bytes.first<kBlockSize>(), bytes.subspan(kBlockSize),
                        plain.bytes());
    return ShieldedValue::seal(uuid, plain.bytes().first(plain.bytes().size() - padding));
}

} // namespace keyhold
