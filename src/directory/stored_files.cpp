// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/stored_files.h"

namespace keyhold {

std::optional<std::string> readDefinitionFile(const StoreDirectory &directory,
                                              const std::string &name, FileStatus *status) {
    return readTextFile(directory, name, kMaxDefinitionFileSize, status);
}

std::optional<ValueFile> readValueFile(const StoreDirectory &directory, const std::string &name,
                                       std::size_t limit) {
    static constinit Mutex largeFiles; // one file at a time
    const auto file = UntrustedFile::open(directory, name, limit);
    if (!file)
        return std::nullopt;
    ValueFile out;
    if (file->size() >= Scratch::kPooledSize)
        out.turn = std::make_unique<MutexLock>(largeFiles);
    out.memory = std::make_unique<Scratch>(file->size() + 1);
    out.size = file->read(out.memory->bytes());
    out.status = file->status();
    return out;
}

} // namespace keyhold
