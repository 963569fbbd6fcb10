// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/tar_archive.h"
#include "os/descriptor.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyhold::command {

/// A line of a file of an audit trail.
struct TrailLine {
    std::string_view text; ///< without its newline
    std::uint64_t number = 0;
    bool hasEnd = true;     ///< false for a last line without a newline
    bool isTooLong = false; ///< longer than any record, and not in `text`
};

/// Reads a file of a trail line by line, in constant memory. gzip, bzip2, xz and zstd are seen by
/// what is in the file, whatever its name is.
class TrailFileReader {
  public:
    /// Raises fileAccess, also for what is no regular file.
    explicit TrailFileReader(const std::string &path);

    /// Lends the next line until the next call; empty at the end. Raises valueUnreadable for a
    /// compressed file that is damaged or cut off, and fileAccess.
    [[nodiscard]] std::optional<TrailLine> next();
    /// What was opened.
    [[nodiscard]] const FileStatus &status() const noexcept { return status_; }
    /// Whether there is more in the file than was read to its end: a record is being written.
    [[nodiscard]] bool hasGrown() const;

  private:
    [[nodiscard]] bool fill();
    [[noreturn]] void raise() const;

    std::string path_;
    Descriptor file_;
    FileStatus status_;
    std::unique_ptr<archive, ArchiveCloser> archive_;
    bool isEmpty_ = false;
    std::string_view block_; ///< what is left of the last one; libarchive's
    std::string line_;       ///< one that more than one block has
    std::uint64_t lines_ = 0;
    std::uint64_t bytes_ = 0;
};

/// A file of a trail, and the place that its first record has.
struct TrailPart {
    std::string path;
    FileStatus status;
    std::uint64_t first = 0; ///< sequence of its first record; 0 if it has none
};

/// Of the file of a trail and those that it was rotated to, those that are there: beside it, with a
/// date or a number behind the name, and a suffix if they are compressed (logrotate(8): dateext,
/// compress). The oldest first, by their first records. Raises notFound if there is none, and
/// fileAccess.
[[nodiscard]] std::vector<TrailPart> findTrail(const std::string &path);

/// Opens a part again. Raises fileAccess, also if another file has its name now.
[[nodiscard]] TrailFileReader openPart(const TrailPart &part);

/// Whether a last line without an end is a record that is just being written.
[[nodiscard]] bool isBeingWritten(const TrailFileReader &reader);

} // namespace keyhold::command
