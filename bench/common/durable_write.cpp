// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/durable_write.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace keyhold::bench {

void require(bool isDone, const std::string &what) {
    if (!isDone)
        throw std::system_error(errno, std::generic_category(), what);
}

void writeDurably(int directory, const std::string &name, std::string_view text) {
    const std::string incomplete = name + ".new";
    const int file =
        openat(directory, incomplete.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    require(file >= 0, incomplete);
    require(write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()), incomplete);
    require(fsync(file) == 0, incomplete);
    require(close(file) == 0, incomplete);
    require(renameat(directory, incomplete.c_str(), directory, name.c_str()) == 0, name);
    require(fsync(directory) == 0, "the directory");
}

} // namespace keyhold::bench
