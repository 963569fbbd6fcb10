// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/current.h"
#include "conf/uuid.h"
#include "seal/keyring.h"
#include "seal/shield.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace keyhold {

/// The formats of a value at rest, each in a file of its own, in the order in which they count.
enum class ValueFormat {
    plain,     ///< `.base64`, not encrypted
    aes256cbc, ///< `.aes256cbc`, what libvirt 12.1 and later write; only read here
    jwe,       ///< `.jwe`, encrypted and authenticated
};

/// Where a secret has files of several formats, the first one here counts: a writer of ours leaves
/// one format, so others were put there since, by people and tools (plain) or by libvirt's own
/// driver.
inline constexpr std::array kValueFormats = {ValueFormat::plain, ValueFormat::aes256cbc,
                                             ValueFormat::jwe};

/// A set of them, one bit each.
using ValueFormats = std::uint8_t;
inline constexpr ValueFormats kAllForms = (1U << kValueFormats.size()) - 1;
[[nodiscard]] constexpr ValueFormats only(ValueFormat format) noexcept {
    return static_cast<ValueFormats>(1U << static_cast<unsigned>(format));
}

/// "base64", "aes256cbc", "jwe": what the name of the file ends in.
[[nodiscard]] std::string_view valueFormatName(ValueFormat format) noexcept;

/// Bytes. Libvirt's RPC carries 64 KiB; the stock driver itself has no limit, so ours is far from
/// any use.
inline constexpr std::size_t kMaxValueSize = std::size_t{256} * 1024 * 1024;

/// Bytes of the largest text of a value in this format. White space, which people's tools put into
/// base64, may add a sixteenth: twice what line ends in lines of 64 characters do.
[[nodiscard]] std::size_t maxTextSize(ValueFormat format) noexcept;

/// The id of the key that a text of this format names; nothing is authenticated. Empty if it names
/// none: a damaged text, and every text of a format that has no place for it.
[[nodiscard]] std::string keyIdIn(ValueFormat format, std::span<const std::uint8_t> text);

/// How values are written and read at rest: the keys and the rules of one moment. Never changed,
/// exchanged as a whole when the settings are read again.
class SealingPolicy {
  public:
    struct Rules {
        /// New values are sealed, or refused where the keyring has no current key.
        bool mustSeal = false;
        /// Stored values take the format of new ones; else only those under an earlier key do.
        bool convertExisting = false;
        /// Why there is no current key, with file and remedy.
        std::string complaint;
        /// New values are plain because nothing asks for anything: not beside sealed ones.
        bool isPlainByDefault = false;
        /// A value in plain is not read.
        bool refusesPlain = false;
    };

    /// New values are plain, and nothing sealed can be read.
    SealingPolicy() = default;
    SealingPolicy(Keyring keyring, Rules rules);

    [[nodiscard]] const Keyring &keyring() const noexcept { return keyring_; }
    [[nodiscard]] const Rules &rules() const noexcept { return rules_; }
    /// Stored values are all to be plain.
    [[nodiscard]] bool unsealsAll() const noexcept {
        return !rules_.mustSeal && rules_.convertExisting;
    }
    /// A hash, keyed once per process, of all that decides what comes of a value that is stored.
    /// Never 0.
    [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }

    /// Raises invalidEncryptionKey if new values must be sealed and cannot be.
    [[nodiscard]] ValueFormat formatOfNew() const;
    /// A value in this format keeps new ones from being stored.
    [[nodiscard]] bool keepsNewFromStoring(ValueFormat format) const noexcept {
        return rules_.isPlainByDefault && format != ValueFormat::plain;
    }

    using Write = std::function<void(std::span<const std::uint8_t> text)>;
    /// Calls `write` with the text of a value in `format`, which is plain or jwe; a plain text
    /// rests in guarded memory. Raises invalidEncryptionKey without a current key, and what `write`
    /// raises.
    void encode(ValueFormat format, const Uuid &uuid, std::span<const std::uint8_t> value,
                const Write &write) const;

    struct Decoded {
        ShieldedValue value;
        bool needsReencryption; ///< by these rules
    };
    /// The value in a text; empty if that is blank, or if what it encrypts is empty: whatever the
    /// format, an empty value is no value. Raises a ValueError.
    [[nodiscard]] std::optional<Decoded> decode(ValueFormat format, const Uuid &uuid,
                                                std::span<const std::uint8_t> text) const;
    /// The same where it does not matter whether a value in plain may be read.
    [[nodiscard]] std::optional<Decoded> decodeAny(ValueFormat format, const Uuid &uuid,
                                                   std::span<const std::uint8_t> text) const;

  private:
    [[nodiscard]] bool needsReencryptionFrom(ValueFormat format, const Key *key) const;

    Keyring keyring_;
    Rules rules_;
    std::uint64_t hash_ = 1;
};

/// The current policy, shared by those who read and write values and the one who reads the
/// settings.
class CurrentPolicy : public Current<std::shared_ptr<const SealingPolicy>> {
  public:
    CurrentPolicy() : Current(std::make_shared<const SealingPolicy>()) {}
};

} // namespace keyhold
