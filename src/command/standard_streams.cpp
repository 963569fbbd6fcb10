// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/standard_streams.h"

#include "conf/error.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace keyhold::command {

void keepStandardStreams() {
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
        if (::fcntl(number, F_GETFD) >= 0)
            continue;
        // The lowest number that is free, which is this one.
        if (::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            throw Error(ErrorCode::fileAccess, "cannot open '/dev/null'", errno);
    }
}

} // namespace keyhold::command
