// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/sealing_policy.h"

#include "conf/bytes.h"
#include "conf/sodium.h"
#include "seal/aes256cbc.h"
#include "seal/base64.h"
#include "seal/jwe.h"
#include "seal/scratch.h"
#include "seal/value_error.h"

namespace keyhold {

namespace {

std::uint64_t hashOf(const Keyring &keyring, const SealingPolicy::Rules &rules) {
    std::string text;
    text += keyring.primary() ? 'p' : '-';
    text += keyring.missing().empty() ? '-' : 'm';
    text += rules.mustSeal ? 's' : '-';
    text += rules.convertExisting ? 'c' : '-';
    text += keyring.current() ? 'k' : '-';
    text += rules.isPlainByDefault ? 'd' : '-';
    text += rules.refusesPlain ? 'r' : '-';
    for (const Key &key : keyring.keys())
        text += key.id();
    return keyedHash(bytesOf(text)) | 1;
}

ShieldedValue openPlain(const Uuid &uuid, std::span<const std::uint8_t> text) {
    Scratch plain(text.size() / 4 * 3 + 3);
    const auto size = decodePlain(text, plain.bytes());
    if (!size)
        throw unreadable("is not base64");
    return ShieldedValue::seal(uuid, plain.bytes().first(*size));
}

} // namespace

std::string_view valueFormatName(ValueFormat format) noexcept {
    switch (format) {
    case ValueFormat::plain:
        return "base64";
    case ValueFormat::aes256cbc:
        return "aes256cbc";
    case ValueFormat::jwe:
        return "jwe";
    }
    return {};
}

std::size_t maxTextSize(ValueFormat format) noexcept {
    static_assert(kMaxValueSize == kMaxJweValueSize);
    const auto withWhiteSpace = [](std::size_t bytes) {
        const std::size_t text = plainTextSize(bytes);
        return text + text / 16;
    };
    switch (format) {
    case ValueFormat::plain:
        return withWhiteSpace(kMaxValueSize);
    case ValueFormat::aes256cbc:
        return withWhiteSpace(aes256CbcSize(kMaxValueSize));
    case ValueFormat::jwe:
        return kMaxJweSize;
    }
    return 0;
}

std::string keyIdIn(ValueFormat format, std::span<const std::uint8_t> text) {
    switch (format) {
    case ValueFormat::plain:
    case ValueFormat::aes256cbc:
        return {};
    case ValueFormat::jwe:
        break;
    }
    try {
        return keyIdOfJwe(text);
    } catch (const Error &) {
        return {};
    }
}

SealingPolicy::SealingPolicy(Keyring keyring, Rules rules)
    : keyring_(std::move(keyring)),
      rules_(std::move(rules)),
      hash_(hashOf(keyring_, rules_)) {}

ValueFormat SealingPolicy::formatOfNew() const {
    if (!rules_.mustSeal)
        return ValueFormat::plain;
    if (!keyring_.current())
        throw Error(ErrorCode::invalidEncryptionKey,
                    "values must be encrypted and there is no key to do it with: " +
                        rules_.complaint);
    return ValueFormat::jwe;
}

void SealingPolicy::encode(ValueFormat format, const Uuid &uuid,
                           std::span<const std::uint8_t> value, const Write &write) const {
    if (format == ValueFormat::plain) {
        const std::size_t size = plainTextSize(value.size());
        Scratch text(size + 1);
        encodePlain(value, text.bytes());
        write(text.bytes().first(size));
        return;
    }
    const Key *key = keyring_.current();
    if (!key || format != ValueFormat::jwe)
        throw Error(ErrorCode::invalidEncryptionKey, "no key to write a value with");
    write(bytesOf(sealJwe(*key, uuid, value)));
}

std::optional<SealingPolicy::Decoded>
SealingPolicy::decode(ValueFormat format, const Uuid &uuid,
                      std::span<const std::uint8_t> text) const {
    auto decoded = decodeAny(format, uuid, text);
    if (decoded && format == ValueFormat::plain && rules_.refusesPlain)
        throw RefusedPlainError();
    return decoded;
}

std::optional<SealingPolicy::Decoded>
SealingPolicy::decodeAny(ValueFormat format, const Uuid &uuid,
                         std::span<const std::uint8_t> text) const {
    std::optional<ShieldedValue> value;
    const Key *key = nullptr;
    switch (format) {
    case ValueFormat::plain:
        value = openPlain(uuid, text);
        break;
    case ValueFormat::aes256cbc:
        value = openAes256Cbc(keyring_, uuid, text);
        break;
    case ValueFormat::jwe:
        value = openJwe(keyring_, uuid, text, &key);
        break;
    }
    if (!value || value->size() == 0)
        return std::nullopt;
    if (value->size() > kMaxValueSize)
        throw unreadable("holds more than " + std::to_string(kMaxValueSize) + " bytes");
    return Decoded{std::move(*value), needsReencryptionFrom(format, key)};
}

bool SealingPolicy::needsReencryptionFrom(ValueFormat format, const Key *key) const {
    if (!rules_.mustSeal)
        return rules_.convertExisting && format != ValueFormat::plain;
    if (!keyring_.current())
        return false;
    return format == ValueFormat::jwe ? key != keyring_.current() : rules_.convertExisting;
}

} // namespace keyhold
