// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/raw_bytes.h"

#include "command/output.h"
#include "conf/error.h"
#include "os/file_system.h"

#include <unistd.h>

namespace keyhold::command {

void writeToOutput(std::span<const std::uint8_t> bytes) {
    if (!flushOutput())
        throw Error(ErrorCode::systemCall, "cannot write the output");
    if (const int result = posixFileSystem().writeAll(STDOUT_FILENO, bytes); result < 0)
        throw Error(ErrorCode::systemCall, "cannot write the output", -result);
}

std::size_t readInput(std::span<std::uint8_t> into) {
    std::size_t have = 0;
    while (have < into.size()) {
        const ssize_t got =
            posixFileSystem().read(STDIN_FILENO, into.data() + have, into.size() - have);
        if (got < 0)
            throw Error(ErrorCode::systemCall, "cannot read the value", static_cast<int>(-got));
        if (got == 0)
            break;
        have += static_cast<std::size_t>(got);
    }
    return have;
}

} // namespace keyhold::command
