// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/store_directory.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace keyhold {

/// The one way to read files of a directory in which other people write: a FIFO, a device, a
/// directory or a file above the limit must give an error, not a hang or the memory of the process.
/// Links to regular files are followed, as the stock driver does.
class UntrustedFile {
  public:
    /// Empty if there is none of that name. Raises systemCall, or internal for a file that is not
    /// regular or has more than `limit` bytes. The directory outlives it.
    [[nodiscard]] static std::optional<UntrustedFile>
    open(const StoreDirectory &directory, const std::string &name, std::size_t limit);

    /// What the file was when it was opened.
    [[nodiscard]] const FileStatus &status() const noexcept { return status_; }
    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(status_.size);
    }
    /// Fills `buffer`, one byte larger than size(), and returns how much came. Raises systemCall,
    /// or internal if the file grew since it was opened.
    [[nodiscard]] std::size_t read(std::span<std::uint8_t> buffer) const;

  private:
    UntrustedFile(const StoreDirectory &directory, std::string name, Descriptor descriptor,
                  const FileStatus &status);

    const StoreDirectory *directory_;
    std::string name_;
    Descriptor descriptor_;
    FileStatus status_;
};

/// Content of a text file; empty if there is none. Raises as UntrustedFile. `status` gets what the
/// file was before it was read.
[[nodiscard]] std::optional<std::string> readTextFile(const StoreDirectory &directory,
                                                      const std::string &name, std::size_t limit,
                                                      FileStatus *status = nullptr);

} // namespace keyhold
