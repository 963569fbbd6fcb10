// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/open_directory.h"

#include <filesystem>
#include <system_error>

namespace keyhold::command {

std::optional<bool> hasOpen(pid_t pid, const FileStatus &directory) {
    std::error_code error;
    const std::filesystem::path files = "/proc/" + std::to_string(pid) + "/fd";
    std::filesystem::directory_iterator each(files, error);
    if (error)
        return std::nullopt;
    for (; each != std::filesystem::directory_iterator(); each.increment(error)) {
        if (error)
            return std::nullopt;
        FileStatus status;
        if (posixFileSystem().statusOf(each->path().string(), status) == 0 &&
            status.isSameFile(directory))
            return true;
    }
    return error ? std::nullopt : std::optional(false);
}

} // namespace keyhold::command
