// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/descriptor.h"
#include "os/file_system.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace keyhold::command {

/// The file of an archive, read from its beginning.
class ArchiveInput {
  public:
    /// Raises fileAccess if it cannot be opened or is no regular file.
    ArchiveInput(FileSystem &fileSystem, const std::string &path);

    /// Fills the buffer with what comes next; less only at the end. Raises fileAccess.
    [[nodiscard]] std::size_t read(std::span<std::uint8_t> buffer) const;

  private:
    FileSystem &fileSystem_;
    const std::string path_;
    Descriptor file_;
};

} // namespace keyhold::command
