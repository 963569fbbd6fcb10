// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace keyhold {

/// What the keys of this process rest in.
enum class KeyMemoryKind {
    secretmem, ///< memfd_secret(2): not readable through ptrace, /proc or a core, even by root
    locked,    ///< private pages, locked in memory, left out of core dumps
    unlocked,  ///< as locked, but RLIMIT_MEMLOCK let them not be locked
};

/// "secretmem", "locked" or "unlocked".
[[nodiscard]] const char *keyMemoryKindName(KeyMemoryKind kind) noexcept;

/// The memory of all keys of this process: a mapping between guard pages, that no forked child
/// inherits, for each kind that was wanted. It is made with the first key and grows only if there
/// are more keys than fit.
namespace key_memory {

/// Whether secretmem is wanted for the keys that come; those that are there stay where they are.
/// Without it, locked pages are taken.
void preferSecretmem(bool wanted) noexcept;

struct Report {
    KeyMemoryKind kind;
    std::string reason; ///< why it is less than was wanted; empty if it is not
};
/// Of the memory of the newest kind that was wanted; empty before the first key, when nothing was
/// tried.
[[nodiscard]] std::optional<Report> report();

/// False in a process forked from the one that made the memory: it is not there, and touching it
/// would be fatal.
[[nodiscard]] bool isOurs() noexcept;
/// Raises internal there.
void requireOurs(SourcePlace place = SourcePlace::current());

} // namespace key_memory

/// Zeroed bytes of that memory, aligned to 64, wiped when given back. Move-only. For keys only:
/// there is little of it.
class KeyBlock {
  public:
    /// At most 4096. Raises noMemory, and internal in a forked process.
    explicit KeyBlock(std::size_t size);
    KeyBlock(KeyBlock &&other) noexcept;
    KeyBlock &operator=(KeyBlock other) noexcept;
    ~KeyBlock();

    /// Not to be touched unless key_memory::isOurs().
    [[nodiscard]] std::span<std::uint8_t> bytes() noexcept { return bytes_; }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }

  private:
    std::span<std::uint8_t> bytes_;
};

} // namespace keyhold
