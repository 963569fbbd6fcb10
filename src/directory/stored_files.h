// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/mutex.h"
#include "os/untrusted_file.h"
#include "seal/scratch.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace keyhold {

/// A text node above 10,000,000 bytes cannot be loaded; with every character escaped it takes six
/// times as many.
inline constexpr std::size_t kMaxDefinitionFileSize = std::size_t{64} * 1024 * 1024;

/// Content of a definition file; empty if there is none. Raises as UntrustedFile. `status` gets
/// what the file was before it was read.
[[nodiscard]] std::optional<std::string> readDefinitionFile(const StoreDirectory &directory,
                                                            const std::string &name,
                                                            FileStatus *status = nullptr);

/// A value file's content, in memory fit for it.
struct ValueFile {
    /// Of a large one; goes last.
    std::unique_ptr<MutexLock> turn;
    std::unique_ptr<Scratch> memory;
    std::size_t size;
    FileStatus status; ///< before it was read

    [[nodiscard]] std::span<const std::uint8_t> bytes() const {
        return memory->bytes().first(size);
    }
};

/// Content of a value file; empty if there is none. One of more than `limit` bytes is not read. As
/// readDefinitionFile(). Of the files that no pooled block holds (Scratch::kPooledSize), a process
/// has one at a time: the next call for such a file waits until the one before is destroyed. Who
/// fills a store with large files takes time of the threads that read it, and not a buffer each; so
/// a thread must not ask for a second one while it has one.
[[nodiscard]] std::optional<ValueFile> readValueFile(const StoreDirectory &directory,
                                                     const std::string &name, std::size_t limit);

} // namespace keyhold
