// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/untrusted_file.h"

#include "conf/error.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace keyhold {

UntrustedFile::UntrustedFile(const StoreDirectory &directory, std::string name,
                             Descriptor descriptor, const FileStatus &status)
    : directory_(&directory),
      name_(std::move(name)),
      descriptor_(std::move(descriptor)),
      status_(status) {}

// O_NONBLOCK: the open of a FIFO returns at once, and fstat says what it is. O_NOCTTY: a terminal
// linked into the store does not become the daemon's.
std::optional<UntrustedFile> UntrustedFile::open(const StoreDirectory &directory,
                                                 const std::string &name, std::size_t limit) {
    FileSystem &fileSystem = directory.fileSystem();
    const int number =
        fileSystem.open(directory.number(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    // A link that leads nowhere is no missing file: what it leads to may be back tomorrow.
    if (number == -ENOENT && !directory.contains(name))
        return std::nullopt;
    if (number < 0)
        throw directory.error(ErrorCode::systemCall, "cannot open", name, number);
    Descriptor descriptor(fileSystem, number);

    FileStatus status;
    const int result = fileSystem.status(number, status);
    if (result < 0)
        throw directory.error(ErrorCode::systemCall, "cannot stat", name, result);
    if (!S_ISREG(status.mode))
        throw Error(ErrorCode::internal,
                    inQuotes(directory.pathOf(name)) + " is not a regular file");
    if (static_cast<std::size_t>(status.size) > limit)
        throw Error(ErrorCode::internal, inQuotes(directory.pathOf(name)) + " is larger than " +
                                             std::to_string(limit) + " bytes");
    return UntrustedFile(directory, name, std::move(descriptor), status);
}

// The buffer is one byte larger than the file was: a file that fills it grew while it was read. Of
// a regular file a read gives less than it was asked for at the end only, so that most files take
// one call.
std::size_t UntrustedFile::read(std::span<std::uint8_t> buffer) const {
    std::size_t have = 0;
    while (have < buffer.size()) {
        const std::size_t room = buffer.size() - have;
        const ssize_t got =
            directory_->fileSystem().read(descriptor_.number(), buffer.data() + have, room);
        if (got < 0)
            throw directory_->error(ErrorCode::systemCall, "cannot read", name_, got);
        if (got == 0)
            return have;
        have += static_cast<std::size_t>(got);
        if (have == size() && static_cast<std::size_t>(got) < room)
            return have;
    }
    throw Error(ErrorCode::internal, inQuotes(directory_->pathOf(name_)) +
                                         " was written to while it was read; reload again");
}

std::optional<std::string> readTextFile(const StoreDirectory &directory, const std::string &name,
                                        std::size_t limit, FileStatus *status) {
    const auto file = UntrustedFile::open(directory, name, limit);
    if (!file)
        return std::nullopt;
    if (status != nullptr)
        *status = file->status();
    std::string content(file->size() + 1, '\0');
    content.resize(file->read({reinterpret_cast<std::uint8_t *>(content.data()), content.size()}));
    return content;
}

} // namespace keyhold
