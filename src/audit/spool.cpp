// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/spool.h"

#include "conf/error.h"
#include "os/path_parts.h"
#include "os/store_directory.h"
#include "os/untrusted_file.h"

#include <utility>

#include <fcntl.h>

namespace keyhold::audit {

Spool::Spool(FileSystem &fileSystem, const std::string &path) : fileSystem_(fileSystem) {
    const auto directory = StoreDirectory::toReachFiles(fileSystem, directoryOf(path));
    const std::string text = readTextFile(directory, nameIn(path), 2 * kMaxSize).value_or("");
    for (std::size_t end = 0; (end = text.find('\n', size_)) != std::string::npos; size_ = end + 1)
        left_.push_back(text.substr(size_, end - size_));
    file_ = Descriptor(
        fileSystem, fileSystem.open(directory.number(), nameIn(path).c_str(),
                                    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY, 0600));
    if (file_.number() < 0)
        throw directory.error(ErrorCode::fileAccess, "cannot open", nameIn(path), file_.number());
    // The next line must not join one that was cut short.
    if (size_ < text.size())
        fileSystem.truncate(file_.number(), static_cast<off_t>(size_));
}

std::vector<std::string> Spool::takeLeft() noexcept {
    return std::exchange(left_, {});
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
