// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/file_system.h"

#include <utility>

namespace keyhold {

/// An open file or directory of a FileSystem, closed when it goes.
class Descriptor {
  public:
    Descriptor() = default;
    Descriptor(FileSystem &fileSystem, int number) : fileSystem_(&fileSystem), number_(number) {}
    Descriptor(Descriptor &&other) noexcept
        : fileSystem_(other.fileSystem_),
          number_(std::exchange(other.number_, -1)) {}
    Descriptor &operator=(Descriptor &&other) noexcept {
        std::swap(fileSystem_, other.fileSystem_);
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0)
            close();
    }

    [[nodiscard]] int number() const noexcept { return number_; }
    /// 0 or -errno; an error of close means that written data may be lost.
    int close() noexcept { return fileSystem_->close(std::exchange(number_, -1)); }

  private:
    FileSystem *fileSystem_ = nullptr;
    int number_ = -1;
};

} // namespace keyhold
