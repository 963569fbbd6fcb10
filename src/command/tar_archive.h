// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "seal/guarded_memory.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

struct archive;

/// Tar archives of regular files, through libarchive: written as ustar with pax headers only where
/// ustar does not hold a name or a size (pax(1), POSIX.1-2017), read as any tar. What is in members
/// may be plain values, so libarchive gets no buffer of its own to copy them to.
namespace keyhold::command {

struct ArchiveCloser {
    void operator()(archive *handle) const noexcept;
};

class TarWriter {
  public:
    /// Takes the bytes of the archive; may raise.
    using Sink = std::function<void(std::span<const std::uint8_t> bytes)>;

    /// `time` is that of all members, in seconds since the epoch. Raises internal, noMemory.
    TarWriter(Sink sink, std::int64_t time);
    /// A regular file with mode 0600, of root. Raises what the sink does, and internal.
    void add(const std::string &name, std::span<const std::uint8_t> content);
    /// Writes the end of the archive.
    void close();

  private:
    void require(int result) const;

    Sink sink_;
    std::int64_t time_;
    std::exception_ptr failure_; ///< of the sink
    std::unique_ptr<archive, ArchiveCloser> archive_;
};

class TarReader {
  public:
    /// Fills the buffer with what comes next; less only at the end. May raise.
    using Source = std::function<std::size_t(std::span<std::uint8_t> buffer)>;

    struct Member {
        std::string name;
        bool isRegular = false; ///< a file with content of its own: no link, no device
        std::size_t size = 0;   ///< bytes
    };

    /// Raises valueUnreadable if it is no tar archive, with texts that begin with a verb: the
    /// caller puts the name of the file before. So do the others.
    explicit TarReader(Source source);
    /// Empty at the end.
    [[nodiscard]] std::optional<Member> next();
    /// The content of the member that next() gave: exactly its size.
    void read(std::span<std::uint8_t> content);

  private:
    [[noreturn]] void raise() const;

    Source source_;
    GuardedMemory buffer_;       ///< whole records: libarchive then copies none together
    std::exception_ptr failure_; ///< of the source
    std::unique_ptr<archive, ArchiveCloser> archive_;
};

} // namespace keyhold::command
