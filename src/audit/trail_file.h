// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/chain.h"
#include "conf/error.h"
#include "os/descriptor.h"

#include <optional>
#include <string>
#include <string_view>

namespace keyhold::audit {

/// The file of a trail, open for its one writer. It is rotated by renaming alone; what was renamed
/// or removed is to be opened again.
class TrailFile {
  public:
    /// No line is longer.
    static constexpr std::size_t kMaxLine = std::size_t{64} << 10;

    /// Opens the file at `path`, which is absolute, or makes it, with mode 0600, and its
    /// directories. A last line without an end, as a crash leaves one, is cut off. Raises
    /// LockedError if it has another writer, fileAccess, or internal for a file that is no trail.
    TrailFile(FileSystem &fileSystem, const std::string &path);

    /// Releases the lock, of which a forked child may have a copy.
    ~TrailFile();
    TrailFile(const TrailFile &) = delete;
    TrailFile &operator=(const TrailFile &) = delete;

    /// Where the file stood when it was opened; zeros if it was empty.
    [[nodiscard]] const Head &openedAt() const noexcept { return openedAt_; }
    [[nodiscard]] bool wasEmpty() const noexcept { return openedAt_.sequence == 0; }
    /// How many bytes were cut off.
    [[nodiscard]] off_t tornBytes() const noexcept { return tornBytes_; }

    /// The sequence of the first record; empty if the file is empty, or begins with something else.
    /// Raises fileAccess.
    [[nodiscard]] std::optional<std::uint64_t> firstSequence() const;

    /// Whole lines from the end of the file, of at most `size` bytes, oldest first. Raises
    /// fileAccess.
    [[nodiscard]] std::string linesAtEnd(std::size_t size) const;

    /// Where the last of the files that were renamed to `path` and a suffix stands; zeros if there
    /// is none that can be read, as of those that were compressed.
    [[nodiscard]] static Head endOfRotated(FileSystem &fileSystem, const std::string &path);

    enum class State {
        same,
        replaced, ///< its name is gone, or leads to another file
        shorter,  ///< somebody has cut it
    };
    /// What has become of the file since the last append(). Raises fileAccess.
    [[nodiscard]] State look();

    /// Writes whole lines behind what is there, and makes them durable if `isSynced`. Raises
    /// fileAccess; then none of them counts, and the file must be opened again to know where it
    /// stands.
    void append(std::string_view lines, bool isSynced);
    /// Makes durable what was appended. Raises fileAccess.
    void sync();

  private:
    [[nodiscard]] Error error(const char *what, ssize_t result,
                              SourcePlace place = SourcePlace::current()) const;
    /// Cuts an unfinished line off.
    void readEnd();
    void write(std::string_view lines);

    FileSystem &fileSystem_;
    const std::string path_;
    Descriptor directory_;
    Descriptor file_;
    bool isNameSynced_ = false;
    off_t size_ = 0;
    off_t tornBytes_ = 0;
    Head openedAt_;
};

} // namespace keyhold::audit
