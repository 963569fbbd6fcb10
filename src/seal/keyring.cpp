// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/keyring.h"

#include "conf/bytes.h"
#include "conf/error.h"
#include "seal/base64.h"
#include "seal/cipher_residue.h"
#include "seal/ciphers.h"
#include "seal/guarded_memory.h"
#include "seal/scratch.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <sodium.h>

namespace keyhold {
namespace {

constexpr std::string_view kSalt = "org.keyhold.at-rest";
constexpr std::string_view kInfo = "JWE dir A256GCM";

constexpr std::string_view kJwkStart = R"({"k":")";
constexpr std::string_view kJwkKeyId = R"(","kid":")";
constexpr std::string_view kJwkEnd = R"(","kty":"oct"})";
constexpr std::size_t kKeyTextSize = base64UrlSize(Key::kSize);
static_assert(kJwkStart.size() + kKeyTextSize + kJwkKeyId.size() + Key::kIdLength +
                  kJwkEnd.size() ==
              Key::kJwkSize);
static_assert(base64UrlSize(crypto_hash_sha256_BYTES) == Key::kIdLength);

/// Writes texts and keys one after the other.
class Writer {
  public:
    explicit Writer(std::span<std::uint8_t> room) : room_(room) {}

    void put(std::string_view text) {
        std::memcpy(room_.data(), text.data(), text.size());
        room_ = room_.subspan(text.size());
    }

    /// Needs one byte of room behind it, which is overwritten next.
    void putBase64(std::span<const std::uint8_t> bytes) {
        encodeBase64Url(bytes, {reinterpret_cast<char *>(room_.data()), room_.size()});
        room_ = room_.subspan(base64UrlSize(bytes.size()));
    }

  private:
    std::span<std::uint8_t> room_;
};

/// RFC 7638: SHA-256 of the JWK's required members in the order of their names.
std::string thumbprint(std::span<const std::uint8_t, Key::kSize> key) {
    Scratch jwk(kJwkStart.size() + kKeyTextSize + kJwkEnd.size());
    Writer writer(jwk.bytes());
    writer.put(kJwkStart);
    writer.putBase64(key);
    writer.put(kJwkEnd);
    std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash;
    crypto_hash_sha256(hash.data(), jwk.bytes().data(), jwk.bytes().size());
    wipeResidue(4096);
    std::string text(Key::kIdLength + 1, '\0');
    encodeBase64Url(hash, text);
    text.pop_back();
    return text;
}

KeyBlock blockOf(std::span<const std::uint8_t, Key::kSize> raw) {
    KeyBlock block(2 * Key::kSize);
    std::memcpy(block.bytes().last<Key::kSize>().data(), raw.data(), raw.size());
    ciphers::deriveKey(raw, bytesOf(kSalt), bytesOf(kInfo), block.bytes().first<Key::kSize>());
    return block;
}

} // namespace

Key::Key(std::span<const std::uint8_t, kSize> raw)
    : block_(blockOf(raw)),
      id_(thumbprint(sealing())),
      header_(id_) {}

std::span<const std::uint8_t, 2 * Key::kSize> Key::bytes() const {
    key_memory::requireOurs();
    return block_.bytes().first<2 * kSize>();
}

std::span<const std::uint8_t, Key::kSize> Key::sealing() const {
    return bytes().first<kSize>();
}

std::span<const std::uint8_t, Key::kSize> Key::raw() const {
    return bytes().last<kSize>();
}

void Key::writeJwk(std::span<std::uint8_t, kJwkSize> text) const {
    Writer writer(text);
    writer.put(kJwkStart);
    writer.putBase64(sealing());
    writer.put(kJwkKeyId);
    writer.put(id_);
    writer.put(kJwkEnd);
}

void Keyring::setPrimary(std::span<const std::uint8_t, Key::kSize> raw, bool seals) {
    Key key(raw);
    std::erase_if(keys_, [&](const Key &other) { return other.id() == key.id(); });
    keys_.insert(keys_.begin(), std::move(key));
    hasPrimary_ = true;
    primarySeals_ = seals;
}

void Keyring::addEarlier(std::span<const std::uint8_t, Key::kSize> raw) {
    Key key(raw);
    if (find(key.id()) == nullptr)
        keys_.push_back(std::move(key));
}

void Keyring::noteMissing(const std::string &why) {
    missing_ += (missing_.empty() ? "" : "; ") + why;
}

const Key *Keyring::current() const noexcept {
    return primarySeals_ ? primary() : nullptr;
}

const Key *Keyring::primary() const noexcept {
    return hasPrimary_ ? &keys_.front() : nullptr;
}

const Key *Keyring::find(std::string_view id) const noexcept {
    const auto found = std::ranges::find(keys_, id, &Key::id);
    return found == keys_.end() ? nullptr : &*found;
}

} // namespace keyhold
