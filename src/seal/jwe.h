// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"
#include "seal/keyring.h"
#include "seal/shield.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace keyhold {

/// The sealed at-rest format, `<uuid>.jwe`: JWE Compact Serialization (RFC 7516) with AES-256-GCM,
/// as docs/at-rest-format.md has it. The text is not secret.

/// Bytes of the largest value.
inline constexpr std::size_t kMaxJweValueSize = std::size_t{256} * 1024 * 1024;
/// Bytes of the largest text that is read; a text of the largest value is smaller.
inline constexpr std::size_t kMaxJweSize = kMaxJweValueSize / 3 * 4 + 8192;

/// The text of a value, one line without a newline, under a new random nonce: two texts of one
/// value differ. Not more than 2^32 with one key. Raises internal for a value above
/// kMaxJweValueSize or if the cipher fails, noMemory.
[[nodiscard]] std::string sealJwe(const Key &key, const Uuid &uuid,
                                  std::span<const std::uint8_t> value);

/// The value in a text, which must be of the secret `uuid`. One newline may follow the text.
/// `usedKey` gets the key of the keyring that opened it. Raises
/// - invalidEncryptionKey if the key it names is not in `keyring`; the message names the key;
/// - valueUnreadable if it is damaged, of another format, of another secret or was altered;
/// - noMemory, internal.
/// The messages begin with a verb ("is damaged: ..."): the caller puts the name of the file before.
[[nodiscard]] ShieldedValue openJwe(const Keyring &keyring, const Uuid &uuid,
                                    std::span<const std::uint8_t> text,
                                    const Key **usedKey = nullptr);

/// The id of the key that a text asks for; nothing is authenticated. Raises valueUnreadable.
[[nodiscard]] std::string keyIdOfJwe(std::span<const std::uint8_t> text);

} // namespace keyhold
