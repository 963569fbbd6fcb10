// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/ciphers.h"

#include "conf/error.h"
#include "seal/cipher_residue.h"
#include "seal/scratch.h"

#include <memory>
#include <string>
#include <type_traits>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

namespace keyhold::ciphers {
namespace {

/// GnuTLS takes what it only reads as non-const.
gnutls_datum_t datumOf(std::span<const std::uint8_t> bytes) noexcept {
    return {const_cast<std::uint8_t *>(bytes.data()), static_cast<unsigned int>(bytes.size())};
}

void check(int result, const char *what, SourcePlace place = SourcePlace::current()) {
    if (result < 0)
        throw Error(result == GNUTLS_E_MEMORY_ERROR ? ErrorCode::noMemory : ErrorCode::internal,
                    std::string(what) + " failed: " + gnutls_strerror(result), 0, place);
}

/// Round keys and digests stay in stack frames, plain bytes in registers; a core dump would show
/// them.
class ResidueWiper {
  public:
    ResidueWiper() = default;
    ResidueWiper(const ResidueWiper &) = delete;
    ResidueWiper &operator=(const ResidueWiper &) = delete;
    ~ResidueWiper() { wipeResidue(std::size_t{8} * 1024); }
};

struct AeadDeleter {
    void operator()(gnutls_aead_cipher_hd_t handle) const { gnutls_aead_cipher_deinit(handle); }
};
using Aead = std::unique_ptr<std::remove_pointer_t<gnutls_aead_cipher_hd_t>, AeadDeleter>;

struct CipherDeleter {
    void operator()(gnutls_cipher_hd_t handle) const { gnutls_cipher_deinit(handle); }
};
using Cipher = std::unique_ptr<std::remove_pointer_t<gnutls_cipher_hd_t>, CipherDeleter>;

Aead gcm(KeyBytes key) {
    const gnutls_datum_t datum = datumOf(key);
    gnutls_aead_cipher_hd_t handle = nullptr;
    check(gnutls_aead_cipher_init(&handle, GNUTLS_CIPHER_AES_256_GCM, &datum), "AES-256-GCM");
    return Aead(handle);
}

} // namespace

void sealGcm(KeyBytes key, std::span<const std::uint8_t, kNonceSize> nonce,
             std::span<const std::uint8_t> authenticated, std::span<const std::uint8_t> plain,
             std::span<std::uint8_t> box) {
    const ResidueWiper wiper;
    const Aead handle = gcm(key);
    std::size_t size = box.size();
    check(gnutls_aead_cipher_encrypt(handle.get(), nonce.data(), nonce.size(), authenticated.data(),
                                     authenticated.size(), kTagSize, plain.data(), plain.size(),
                                     box.data(), &size),
          "AES-256-GCM");
}

bool openGcm(KeyBytes key, std::span<const std::uint8_t, kNonceSize> nonce,
             std::span<const std::uint8_t> authenticated, std::span<const std::uint8_t> box,
             std::span<std::uint8_t> plain) {
    const ResidueWiper wiper;
    // GnuTLS deciphers before it compares the tags.
    const auto refuse = [&] {
        wipe(plain);
        return false;
    };
    if (box.size() != plain.size() + kTagSize)
        return refuse();
    const Aead handle = gcm(key);
    std::size_t size = plain.size();
    const int result = gnutls_aead_cipher_decrypt(
        handle.get(), nonce.data(), nonce.size(), authenticated.data(), authenticated.size(),
        kTagSize, box.data(), box.size(), plain.data(), &size);
    if (result == GNUTLS_E_DECRYPTION_FAILED)
        return refuse();
    if (result < 0)
        wipe(plain);
    check(result, "AES-256-GCM");
    return size == plain.size() || refuse();
}

void decryptCbc(KeyBytes key, std::span<const std::uint8_t, kBlockSize> initial,
                std::span<const std::uint8_t> cipherText, std::span<std::uint8_t> plain) {
    const ResidueWiper wiper;
    const gnutls_datum_t keyDatum = datumOf(key);
    const gnutls_datum_t initialDatum = datumOf(initial);
    gnutls_cipher_hd_t handle = nullptr;
    check(gnutls_cipher_init(&handle, GNUTLS_CIPHER_AES_256_CBC, &keyDatum, &initialDatum),
          "AES-256-CBC");
    const Cipher owner(handle);
    check(gnutls_cipher_decrypt2(handle, cipherText.data(), cipherText.size(), plain.data(),
                                 plain.size()),
          "AES-256-CBC");
}

void deriveKey(KeyBytes key, std::span<const std::uint8_t> salt, std::span<const std::uint8_t> info,
               std::span<std::uint8_t, kKeySize> derived) {
    const ResidueWiper wiper;
    constexpr std::size_t kHashSize = 32;
    Scratch extracted(kHashSize);
    const gnutls_datum_t keyDatum = datumOf(key);
    const gnutls_datum_t saltDatum = datumOf(salt);
    const gnutls_datum_t infoDatum = datumOf(info);
    const gnutls_datum_t extractedDatum = datumOf(extracted.bytes());
    check(gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &keyDatum, &saltDatum, extracted.bytes().data()),
          "HKDF");
    check(gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &extractedDatum, &infoDatum, derived.data(),
                             derived.size()),
          "HKDF");
}

} // namespace keyhold::ciphers
