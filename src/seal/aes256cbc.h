// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"
#include "seal/keyring.h"
#include "seal/shield.h"

#include <cstdint>
#include <span>

namespace keyhold {

/// The format `<uuid>.aes256cbc` of libvirt 12.1 and later, which is never written here: base64 of
/// a 16-byte initialization vector and AES-256-CBC with PKCS #7 padding, under a raw key. It
/// carries neither key id nor authentication: which key it was can only be seen by the padding,
/// which a wrong key passes once in 256 times.

/// Bytes that a value of `valueSize` bytes takes before base64.
[[nodiscard]] std::size_t aes256CbcSize(std::size_t valueSize) noexcept;

/// The value in a text, under the one key of `keyring` that gives a well-formed padding. Bound to
/// `uuid` from here on only. While a configured key is missing, it may be the right one, so that
/// the padding under an earlier key says nothing: then only the primary key opens, as with
/// libvirt's own driver. Raises
/// - invalidEncryptionKey if no key does, or more than one, or only one that does not count;
/// - valueUnreadable if it is not base64 of whole blocks;
/// - noMemory, internal.
/// The messages begin with a verb: the caller puts the name of the file before.
[[nodiscard]] ShieldedValue openAes256Cbc(const Keyring &keyring, const Uuid &uuid,
                                          std::span<const std::uint8_t> text);

} // namespace keyhold
