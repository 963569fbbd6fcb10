// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/shield_key.h"

#include "conf/sodium.h"
#include "seal/cipher_residue.h"
#include "seal/guarded_memory.h"

#include <array>
#include <cstring>
#include <new>

#include <sodium.h>

namespace keyhold {
namespace {

constexpr std::size_t kNonceSize = 12;

static_assert(crypto_aead_aes256gcm_KEYBYTES == ShieldKey::kKeySize);
static_assert(crypto_aead_aes256gcm_ABYTES == ShieldKey::kTagSize);
static_assert(crypto_aead_aes256gcm_NPUBBYTES == kNonceSize);
static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == ShieldKey::kKeySize);
static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == ShieldKey::kTagSize);
static_assert(crypto_aead_chacha20poly1305_ietf_NPUBBYTES == kNonceSize);

using Nonce = std::array<std::uint8_t, kNonceSize>;

/// Four zero bytes and the counter, most significant byte first.
Nonce nonceOf(std::uint64_t counter) {
    Nonce nonce{};
    for (std::size_t i = 0; i < sizeof counter; ++i)
        nonce[kNonceSize - 1 - i] = static_cast<std::uint8_t>(counter >> (8 * i));
    return nonce;
}

/// libsodium 1.0.18 leaves key stream and round keys (AES), or key and plain bytes (ChaCha20), in
/// registers and in stack frames of up to 1 KiB, from where they would get into a core dump.
void wipeAfterSodium() noexcept {
    wipeResidue(4096);
}

GuardedMemory randomKey() {
    GuardedMemory key(ShieldKey::kKeySize);
    randombytes_buf(key.bytes().data(), key.size());
    return key;
}

ShieldCipher bestCipher() {
    return ShieldKey::isAvailable(ShieldCipher::aes256Gcm) ? ShieldCipher::aes256Gcm
                                                           : ShieldCipher::chaCha20Poly1305;
}

} // namespace

union ShieldKey::Block {
    crypto_aead_aes256gcm_state schedule;
    std::uint8_t key[kKeySize];
};

bool ShieldKey::isAvailable(ShieldCipher cipher) {
    requireSodium();
    return cipher == ShieldCipher::chaCha20Poly1305 || crypto_aead_aes256gcm_is_available() != 0;
}

ShieldKey::ShieldKey(ShieldCipher cipher)
    : ShieldKey(cipher, randomKey().bytes().first<kKeySize>()) {}

ShieldKey::ShieldKey(ShieldCipher cipher, std::span<const std::uint8_t, kKeySize> key)
    : cipher_(cipher),
      memory_(sizeof(Block)) {
    static_assert(alignof(Block) <= 16);
    auto *block = new (memory_.bytes().data()) Block;
    if (cipher_ == ShieldCipher::aes256Gcm)
        crypto_aead_aes256gcm_beforenm(&block->schedule, key.data());
    else
        std::memcpy(block->key, key.data(), key.size());
    wipeAfterSodium();
}

const ShieldKey &ShieldKey::ofProcess() {
    // Never destroyed: values may be opened until the process is gone.
    static const ShieldKey *const key = new ShieldKey(bestCipher());
    return *key;
}

const ShieldKey::Block &ShieldKey::block() const noexcept {
    return *std::launder(reinterpret_cast<const Block *>(memory_.bytes().data()));
}

void ShieldKey::seal(const Uuid &uuid, std::uint64_t nonce, std::span<const std::uint8_t> plain,
                     std::uint8_t *box) const noexcept {
    const Nonce bytes = nonceOf(nonce);
    const auto sealWith = [&](const auto &encrypt, const auto *key) {
        encrypt(box, box + plain.size(), nullptr, plain.data(), plain.size(), uuid.bytes().data(),
                Uuid::kSize, nullptr, bytes.data(), key);
    };
    if (cipher_ == ShieldCipher::aes256Gcm)
        sealWith(crypto_aead_aes256gcm_encrypt_detached_afternm, &block().schedule);
    else
        sealWith(crypto_aead_chacha20poly1305_ietf_encrypt_detached, block().key);
    wipeAfterSodium();
}

bool ShieldKey::open(const Uuid &uuid, std::uint64_t nonce, const std::uint8_t *box,
                     std::span<std::uint8_t> plain) const noexcept {
    const Nonce bytes = nonceOf(nonce);
    const auto openWith = [&](const auto &decrypt, const auto *key) {
        return decrypt(plain.data(), nullptr, box, plain.size(), box + plain.size(),
                       uuid.bytes().data(), Uuid::kSize, bytes.data(), key);
    };
    const int result =
        cipher_ == ShieldCipher::aes256Gcm
            ? openWith(crypto_aead_aes256gcm_decrypt_detached_afternm, &block().schedule)
            : openWith(crypto_aead_chacha20poly1305_ietf_decrypt_detached, block().key);
    wipeAfterSodium();
    if (result != 0)
        wipe(plain);
    return result == 0;
}

} // namespace keyhold
