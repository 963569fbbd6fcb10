// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/proc_file.h"

#include "os/descriptor.h"
#include "os/file_system.h"

#include <algorithm>
#include <charconv>

#include <fcntl.h>

namespace keyhold {

std::string textOfProc(const std::string &path) {
    FileSystem &fileSystem = posixFileSystem();
    const Descriptor file(fileSystem, fileSystem.open(AT_FDCWD, path.c_str(), O_RDONLY, 0));
    std::string text;
    if (file.number() < 0)
        return text;
    for (;;) {
        constexpr std::size_t kStep = 4096;
        const std::size_t have = text.size();
        text.resize(have + kStep);
        const ssize_t got = fileSystem.read(file.number(), text.data() + have, kStep);
        text.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got <= 0)
            return text;
    }
}

std::uint64_t startedIn(std::string_view stat) {
    constexpr int kFieldsBetween = 19; // behind the name in parentheses, which may hold anything
    std::size_t at = stat.rfind(") ");
    for (int field = 0; field <= kFieldsBetween && at != std::string_view::npos; ++field)
        at = stat.find(' ', at + 1);
    std::uint64_t started = 0;
    if (at != std::string_view::npos)
        std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), started);
    return started;
}

} // namespace keyhold
