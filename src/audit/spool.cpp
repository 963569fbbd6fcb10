// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/spool.h"

#include "conf/error.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

namespace keyhold::audit {

Spool::Spool(FileSystem &fileSystem, const std::string &path) : fileSystem_(fileSystem) {
    const auto error = [&](const char *what, ssize_t result) {
        return Error(ErrorCode::fileAccess,
                     std::string("cannot ") + what + " the spool of the audit trail " +
                         inQuotes(path),
                     static_cast<int>(-result));
    };
    file_ = Descriptor(
        fileSystem,
        fileSystem.open(AT_FDCWD, path.c_str(),
                        O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600));
    if (file_.number() < 0)
        throw error("open", file_.number());
    FileStatus status;
    if (const int result = fileSystem.status(file_.number(), status); result < 0)
        throw error("stat", result);
    if (!S_ISREG(status.mode))
        throw error("open", -EINVAL);
    std::string text;
    std::array<char, 4096> part{};
    while (text.size() < 2 * kMaxSize) {
        const ssize_t got = fileSystem.readAt(file_.number(), part.data(), part.size(),
                                              static_cast<off_t>(text.size()));
        if (got < 0)
            throw error("read", got);
        if (got == 0)
            break;
        text.append(part.data(), static_cast<std::size_t>(got));
    }
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
        left_.push_back(text.substr(begin, end - begin));
    size_ = text.size();
}

bool Spool::append(std::string_view line) noexcept {
    return size_ + line.size() + 1 <= kMaxSize && write(line);
}

void Spool::close(std::string_view line) noexcept {
    write(line);
}

bool Spool::write(std::string_view line) noexcept {
    try {
        std::string text(line);
        text += '\n';
        const ssize_t written = fileSystem_.write(file_.number(), text.data(), text.size());
        if (written == static_cast<ssize_t>(text.size())) {
            size_ += text.size();
            return true;
        }
    } catch (const std::exception &) {
        return false;
    }
    // Part of a line would join the next one.
    fileSystem_.truncate(file_.number(), static_cast<off_t>(size_));
    return false;
}

void Spool::clear() noexcept {
    if (size_ > 0 && fileSystem_.truncate(file_.number(), 0) >= 0)
        size_ = 0;
}

} // namespace keyhold::audit
