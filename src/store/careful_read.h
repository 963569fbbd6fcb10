// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "seal/at_rest.h"
#include "seal/scratch.h"
#include "store/store_directory.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace keyhold {

/// The one way files of a store are read. Other people write there: a FIFO, a device, a directory
/// or a file above the limit must cost an error, not a hang or the memory of the process. Links to
/// regular files are followed, as the stock driver does.

/// Base64 of the largest value, with as much room for white space again as half of it.
inline constexpr std::size_t kMaxValueFileSize = kMaxValueSize * 2;
/// A text node above 10,000,000 bytes cannot be loaded; with every character escaped it takes six
/// times as many.
inline constexpr std::size_t kMaxDefinitionFileSize = std::size_t{64} * 1024 * 1024;

/// Content of a definition file; empty if there is none. Raises systemCall, or internal for a file
/// that is not regular or too large. `status` gets what the file was before it was read.
[[nodiscard]] std::optional<std::string> readDefinitionFile(const StoreDirectory &directory,
                                                            const std::string &name,
                                                            FileStatus *status = nullptr);

/// A value file's content, in memory fit for it.
struct ValueFile {
    std::unique_ptr<Scratch> memory;
    std::size_t size;

    [[nodiscard]] std::span<const std::uint8_t> bytes() const {
        return memory->bytes().first(size);
    }
};

/// Content of a value file; empty if there is none. As readDefinitionFile().
[[nodiscard]] std::optional<ValueFile> readValueFile(const StoreDirectory &directory,
                                                     const std::string &name,
                                                     FileStatus *status = nullptr);

} // namespace keyhold
