// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/descriptor.h"
#include "os/file_system.h"
#include "os/store_directory.h"
#include "seal/guarded_memory.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace keyhold::command {

/// Where an archive goes that is being made. What is in it may be plain values: they pass through
/// guarded memory alone.
class ArchiveOutput {
  public:
    ArchiveOutput(FileSystem &fileSystem, int descriptor, std::string what);
    void write(std::span<const std::uint8_t> bytes);
    /// Everything written has left the process. Raises fileAccess, as write().
    void flush();

  private:
    FileSystem &fileSystem_;
    int descriptor_;
    std::string what_; ///< for texts
    GuardedMemory buffer_;
    std::size_t used_ = 0;
};

/// A file that is made beside its place, as `FILE.partial` with mode 0600, and takes it once it is
/// complete and synced; until then what is there stays. Without that nothing is left of it.
class NewArchiveFile {
  public:
    /// Raises fileAccess; invalidArgument if there is a file at `path` and not `replaces`, or
    /// something that is no regular file.
    NewArchiveFile(FileSystem &fileSystem, const std::string &path, bool replaces);
    ~NewArchiveFile();
    NewArchiveFile(const NewArchiveFile &) = delete;
    NewArchiveFile &operator=(const NewArchiveFile &) = delete;

    [[nodiscard]] ArchiveOutput &output() noexcept { return *output_; }
    /// Where it is for now.
    [[nodiscard]] std::string partialPath() const { return directory_.pathOf(partialName_); }
    /// Makes what was written durable, and has the next reading come from the disk.
    void sync();
    /// Gives it its name, durably. Raises fileAccess, or invalidArgument as the constructor.
    void publish();

  private:
    void requireFree() const;
    void requireOwnPartial() const;

    std::string name_;
    std::string partialName_;
    StoreDirectory directory_;
    const bool replaces_;
    bool isOurs_ = false; ///< there is a file of ours under the partial name
    Descriptor file_;
    std::optional<ArchiveOutput> output_;
};

} // namespace keyhold::command
