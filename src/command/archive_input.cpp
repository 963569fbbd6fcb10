// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/archive_input.h"

#include "conf/error.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace keyhold::command {

ArchiveInput::ArchiveInput(FileSystem &fileSystem, const std::string &path)
    : fileSystem_(fileSystem),
      path_(path),
      file_(fileSystem,
            fileSystem.open(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)) {
    FileStatus status;
    const int number = file_.number();
    const int result = number < 0 ? number : fileSystem.status(number, status);
    if (result < 0)
        throw Error(ErrorCode::fileAccess, "cannot open " + inQuotes(path), -result);
    if (!S_ISREG(status.mode))
        throw Error(ErrorCode::fileAccess, inQuotes(path) + " is not a regular file");
}

std::size_t ArchiveInput::read(std::span<std::uint8_t> buffer) const {
    std::size_t have = 0;
    while (have < buffer.size()) {
        const ssize_t got =
            fileSystem_.read(file_.number(), buffer.data() + have, buffer.size() - have);
        if (got < 0)
            throw Error(ErrorCode::fileAccess, "cannot read " + inQuotes(path_),
                        static_cast<int>(-got));
        if (got == 0)
            break;
        have += static_cast<std::size_t>(got);
    }
    return have;
}

} // namespace keyhold::command
