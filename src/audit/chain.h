// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/digest.h"
#include "seal/guarded_memory.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keyhold::audit {

/// Where a trail stands: its last record, and the digest over it and all before it.
struct Head {
    std::uint64_t sequence = 0; ///< 0 before the first record
    Digest chain{};             ///< zeros before the first record
};

/// A line of the trail, taken apart. A line is a JSON object (RFC 8259) whose last members are
/// `"chain":"64 digits"` and, if it is sealed, `"seal":"64 digits"`. What the chain covers is the
/// text before `,"chain":`.
struct Line {
    std::string_view record;
    Digest chain;
    std::optional<Digest> seal;
};

/// Empty if the text, without a newline, does not end so.
[[nodiscard]] std::optional<Line> parseLine(std::string_view text);

/// The chain of a record: SHA-256 of the chain before it and the record's text.
[[nodiscard]] Digest chainOf(const Digest &before, std::string_view record);

/// A key that goes on with each record and cannot be turned back: K[n+1] = SHA-256(K[n]), record n
/// is sealed with K[n]. Who takes K[n] can forge records from n on and none before. The idea is
/// journald's (Forward Secure Sealing); the record's sequence is under the seal, which it was not
/// there (CVE-2023-31439).
class SealingKey {
  public:
    /// `key` is that of record `sequence`.
    SealingKey(std::uint64_t sequence, std::span<const std::uint8_t, sizeof(Digest)> key);

    /// The record whose key this is now.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept;
    /// Goes forward to the key of `sequence`, which is not before the present one.
    void advanceTo(std::uint64_t sequence);
    /// Forgets the key that rollBack() would go back to: what was sealed since is written.
    void commit();
    /// The key as it was at the last commit().
    void rollBack();
    /// The seal of the record that has this chain and this key's sequence: HMAC-SHA-256 over the
    /// sequence, as 8 bytes with the highest first, and the chain.
    [[nodiscard]] Digest seal(const Digest &chain) const;

  private:
    static constexpr std::size_t kSize = sizeof(Digest);

    std::uint64_t sequence_;
    std::uint64_t committedSequence_;
    GuardedMemory keys_; // of now, and of the last commit()
};

/// Closes `record`, the text of a JSON object without its closing brace, as the line after `head`,
/// newline included, and advances both. `key` is null if records are not sealed.
void appendLine(std::string &out, std::string_view record, Head &head, SealingKey *key);

} // namespace keyhold::audit
