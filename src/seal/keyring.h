// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "seal/jwe_header.h"
#include "seal/key_memory.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keyhold {

/// A key, from the 32 bytes of a key file. The bytes themselves (raw) are what libvirt 12.1 and
/// later encrypt with; the sealing key is derived from them, so that no key serves two ciphers:
/// HKDF-SHA256 (RFC 5869) with the salt and info of docs/at-rest-format.md. Rests in key memory.
class Key {
  public:
    static constexpr std::size_t kSize = 32;
    static constexpr std::size_t kIdLength = 43;
    /// Of `{"k":"...","kid":"...","kty":"oct"}`.
    static constexpr std::size_t kJwkSize = 115;

    /// `raw` stays the caller's. Raises noMemory, internal.
    explicit Key(std::span<const std::uint8_t, kSize> raw);

    /// The `kid` of what it seals: the JWK thumbprint (RFC 7638, SHA-256, base64url) of the sealing
    /// key. Not secret.
    [[nodiscard]] const std::string &id() const noexcept { return id_; }

    /// Guarded; not to be copied elsewhere. Both raise internal in a forked process.
    [[nodiscard]] std::span<const std::uint8_t, kSize> sealing() const;
    [[nodiscard]] std::span<const std::uint8_t, kSize> raw() const;

    /// The header of what it seals.
    [[nodiscard]] const OwnJweHeader &header() const noexcept { return header_; }

    /// Writes the sealing key as a JWK (RFC 7517), for other tools. `text` is as secret as the key.
    void writeJwk(std::span<std::uint8_t, kJwkSize> text) const;

  private:
    [[nodiscard]] std::span<const std::uint8_t, 2 * kSize> bytes() const;

    KeyBlock block_; ///< sealing key, raw key
    std::string id_;
    OwnJweHeader header_;
};

/// The keys of a store: the one that seals, if there is one, and those that only open. Where a
/// value does not name its key, the primary one goes before the others: the key that the settings
/// name for encryption, whether it may seal or not. Filled, then never changed: shared as
/// `std::shared_ptr<const Keyring>` and exchanged as a whole at a reload.
class Keyring {
  public:
    /// The primary key. It is the current one, too, unless it must not seal.
    void setPrimary(std::span<const std::uint8_t, Key::kSize> raw, bool seals = true);
    /// A key that only opens. One that is there already is not added again.
    void addEarlier(std::span<const std::uint8_t, Key::kSize> raw);
    /// Notes why a configured key is not here, with file and remedy.
    void noteMissing(const std::string &why);

    /// Null if nothing can be sealed.
    [[nodiscard]] const Key *current() const noexcept;
    /// Null if the settings name no key for encryption, or it could not be read.
    [[nodiscard]] const Key *primary() const noexcept;
    /// Null if there is no such key.
    [[nodiscard]] const Key *find(std::string_view id) const noexcept;
    /// What noteMissing() was given; empty if every configured key is here.
    [[nodiscard]] const std::string &missing() const noexcept { return missing_; }
    /// The primary key first.
    [[nodiscard]] std::span<const Key> keys() const noexcept { return keys_; }

  private:
    std::vector<Key> keys_;
    bool hasPrimary_ = false;
    bool primarySeals_ = false;
    std::string missing_;
};

} // namespace keyhold
