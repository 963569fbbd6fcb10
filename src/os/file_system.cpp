// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/file_system.h"

#include <cerrno>

namespace keyhold {

int FileSystem::sync(int descriptor) {
    if (const int result = fsync(descriptor); result < 0)
        return result;
    FileStatus status;
    if (const int result = this->status(descriptor, status); result < 0)
        return result;
    const int readOnly = isReadOnly(descriptor);
    if (readOnly == -ENOSYS) // a server of FUSE that does not know
        return 0;
    return readOnly > 0 ? -EROFS : readOnly;
}

int FileSystem::writeAll(int descriptor, std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t put = write(descriptor, bytes.data(), bytes.size());
        if (put <= 0) // 0 would be tried for ever
            return put == 0 ? -EIO : static_cast<int>(put);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return 0;
}

bool isSyncUnavailable(int result) noexcept {
    return result == -EINVAL || result == -ENOSYS || result == -EOPNOTSUPP;
}

} // namespace keyhold
