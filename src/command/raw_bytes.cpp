// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/raw_bytes.h"

#include "command/output.h"
#include "conf/error.h"

#include <cerrno>

#include <unistd.h>

namespace keyhold::command {

void writeToOutput(std::span<const std::uint8_t> bytes) {
    if (!flushOutput())
        throw Error(ErrorCode::systemCall, "cannot write the output");
    while (!bytes.empty()) {
        const ssize_t put = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) // 0 would be tried for ever
            throw Error(ErrorCode::systemCall, "cannot write the output", put == 0 ? EIO : errno);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
}

std::size_t readInput(std::span<std::uint8_t> into) {
    std::size_t have = 0;
    while (have < into.size()) {
        const ssize_t got = ::read(STDIN_FILENO, into.data() + have, into.size() - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw Error(ErrorCode::systemCall, "cannot read the value", errno);
        if (got == 0)
            break;
        have += static_cast<std::size_t>(got);
    }
    return have;
}

} // namespace keyhold::command
