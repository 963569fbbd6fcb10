// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/careful_read.h"

#include "conf/error.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace keyhold {

namespace {

struct OpenFile {
    Descriptor descriptor;
    std::size_t size;
};

// O_NONBLOCK: the open of a FIFO returns at once, and fstat tells what it is. O_NOCTTY: a terminal
// linked into the store does not become the daemon's.
std::optional<OpenFile> openRegular(const StoreDirectory &directory, const std::string &name,
                                    std::size_t limit, FileStatus *statusOut) {
    FileSystem &fileSystem = directory.fileSystem();
    const int number =
        fileSystem.open(directory.number(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    // A link that leads nowhere is no missing file: what it leads to may be back tomorrow.
    if (number == -ENOENT && !directory.contains(name))
        return std::nullopt;
    if (number < 0)
        throw Error(ErrorCode::systemCall, "cannot open '" + directory.pathOf(name) + "'", -number);
    Descriptor descriptor(fileSystem, number);

    FileStatus status;
    const int result = fileSystem.status(number, status);
    if (result < 0)
        throw Error(ErrorCode::systemCall, "cannot stat '" + directory.pathOf(name) + "'", -result);
    if (!S_ISREG(status.mode))
        throw Error(ErrorCode::internal, "'" + directory.pathOf(name) + "' is not a regular file");
    const auto size = static_cast<std::size_t>(status.size);
    if (size > limit)
        throw Error(ErrorCode::internal, "'" + directory.pathOf(name) + "' is larger than " +
                                             std::to_string(limit) + " bytes");
    if (statusOut != nullptr)
        *statusOut = status;
    return OpenFile{std::move(descriptor), size};
}

// Fills `buffer` from the file and returns how much came. The buffer is one byte larger than the
// file was: a file that fills it grew while it was read. Of a regular file a read gives less than
// it was asked for at the end only, so that most files take one call.
std::size_t readAll(const StoreDirectory &directory, const std::string &name, const OpenFile &file,
                    std::span<std::uint8_t> buffer) {
    std::size_t have = 0;
    while (have < buffer.size()) {
        const std::size_t room = buffer.size() - have;
        const ssize_t got =
            directory.fileSystem().read(file.descriptor.number(), buffer.data() + have, room);
        if (got < 0)
            throw Error(ErrorCode::systemCall, "cannot read '" + directory.pathOf(name) + "'",
                        static_cast<int>(-got));
        if (got == 0)
            return have;
        have += static_cast<std::size_t>(got);
        if (have == file.size && static_cast<std::size_t>(got) < room)
            return have;
    }
    throw Error(ErrorCode::internal,
                "'" + directory.pathOf(name) + "' was written to while it was read; reload again");
}

} // namespace

std::optional<std::string> readDefinitionFile(const StoreDirectory &directory,
                                              const std::string &name, FileStatus *status) {
    const auto file = openRegular(directory, name, kMaxDefinitionFileSize, status);
    if (!file)
        return std::nullopt;
    std::string content(file->size + 1, '\0');
    content.resize(readAll(directory, name, *file,
                           {reinterpret_cast<std::uint8_t *>(content.data()), content.size()}));
    return content;
}

std::optional<ValueFile> readValueFile(const StoreDirectory &directory, const std::string &name,
                                       std::size_t limit, FileStatus *status) {
    static constinit std::mutex largeFiles;
    const auto file = openRegular(directory, name, limit, status);
    if (!file)
        return std::nullopt;
    ValueFile out;
    if (file->size >= Scratch::kPooledSize)
        out.turn = std::unique_lock(largeFiles);
    out.memory = std::make_unique<Scratch>(file->size + 1);
    out.size = readAll(directory, name, *file, out.memory->bytes());
    return out;
}

} // namespace keyhold
