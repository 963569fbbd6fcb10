// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/descriptor.h"

#include <string>
#include <string_view>
#include <vector>

namespace keyhold::audit {

/// Records that are on their way to the trail, for the case that the process ends before it has
/// written them: lines of text in a file of mode 0600 on a file system in memory, where a write
/// takes a microsecond and waits for no disk. It outlives the process and not the machine. One
/// thread at a time; by the writer of the trail alone.
class Spool {
  public:
    /// What it may grow to, in bytes.
    static constexpr std::size_t kMaxSize = std::size_t{1} << 20;

    /// Opens the file at `path`, which is absolute, or makes it. Raises fileAccess or systemCall,
    /// or internal for what is no regular file or too large.
    Spool(FileSystem &fileSystem, const std::string &path);

    /// Lines that an earlier process has left, in order; a last one that was cut short is none.
    /// Once.
    [[nodiscard]] std::vector<std::string> takeLeft() noexcept;
    /// False if the line is not in the file: there is no room, or it cannot be written.
    [[nodiscard]] bool append(std::string_view line) noexcept;
    /// As append(), whatever the size, for what is to be known of what is not there. The last call.
    void close(std::string_view line) noexcept;
    /// All lines are in the trail.
    void clear() noexcept;

  private:
    bool write(std::string_view line) noexcept;

    FileSystem &fileSystem_;
    Descriptor file_;
    std::size_t size_ = 0;
    std::vector<std::string> left_;
};

} // namespace keyhold::audit
