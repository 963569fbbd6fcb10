// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/trail_file.h"

#include "audit/record.h"
#include "conf/error.h"
#include "os/path_parts.h"
#include "os/store_lock.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

namespace keyhold::audit {

namespace {

struct End {
    ssize_t read = 0;         ///< -errno if it cannot be read
    std::optional<Head> head; ///< empty if it is no end of a trail
    off_t torn = 0;           ///< bytes of an unfinished line
};

/// Whether a power cut may have left this of a line of ours; nothing else is cut off.
bool isUnfinished(std::string_view text) {
    constexpr std::string_view kStart = "{\"@timestamp\":\"";
    text = text.substr(0, text.find('\0'));
    return text.starts_with(kStart) || kStart.starts_with(text);
}

/// Fills `text` with what is in the file from there on. 0 or -errno.
ssize_t readFrom(FileSystem &fileSystem, int file, off_t from, std::string &text) {
    for (std::size_t have = 0; have < text.size();) {
        const ssize_t got = fileSystem.readAt(file, text.data() + have, text.size() - have,
                                              from + static_cast<off_t>(have));
        if (got <= 0)
            return got < 0 ? got : -EIO;
        have += static_cast<std::size_t>(got);
    }
    return 0;
}

End endOf(FileSystem &fileSystem, int file, off_t size) {
    constexpr off_t kWindow = 2 * TrailFile::kMaxLine;
    const off_t from = std::max<off_t>(0, size - kWindow);
    std::string text(static_cast<std::size_t>(size - from), '\0');
    if (const ssize_t result = readFrom(fileSystem, file, from, text); result < 0)
        return {.read = result, .head = {}};
    const std::size_t lineEnd = text.rfind('\n');
    if (!isUnfinished(std::string_view(text).substr(lineEnd + 1)))
        return {};
    if (lineEnd == std::string::npos)
        return from > 0 ? End() : End{.head = Head(), .torn = size};
    const std::size_t before = lineEnd == 0 ? std::string::npos : text.rfind('\n', lineEnd - 1);
    const std::size_t start = before == std::string::npos ? 0 : before + 1;
    const auto line = parseLine(std::string_view(text).substr(start, lineEnd - start));
    const auto sequence = line ? sequenceOf(line->record) : std::nullopt;
    if (!sequence)
        return {};
    return {.head = Head{*sequence, line->chain},
            .torn = static_cast<off_t>(text.size() - lineEnd - 1)};
}

} // namespace

Error TrailFile::error(const char *what, ssize_t result, SourcePlace place) const {
    return {ErrorCode::fileAccess,
            std::string("cannot ") + what + " the audit trail " + inQuotes(path_),
            static_cast<int>(-result), place};
}

TrailFile::TrailFile(FileSystem &fileSystem, const std::string &path)
    : fileSystem_(fileSystem),
      path_(path) {
    const std::string directory = directoryOf(path);
    if (const int result = fileSystem.makePath(directory); result < 0)
        throw Error(ErrorCode::fileAccess, "cannot create directory " + inQuotes(directory),
                    -result);
    directory_ = Descriptor(fileSystem, fileSystem.openDirectory(directory));
    if (directory_.number() < 0)
        throw error("open", directory_.number());
    const std::string name = nameIn(path);
    // O_NONBLOCK: a FIFO of that name must not keep the writer.
    file_ = Descriptor(
        fileSystem,
        fileSystem.open(directory_.number(), name.c_str(),
                        O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600));
    if (file_.number() < 0)
        throw error("open", file_.number());
    const int locked = fileSystem.lockDirectory(file_.number());
    if (locked == -EWOULDBLOCK)
        throw LockedError("the audit trail " + inQuotes(path) +
                              " is written by another process; give each a file of its own",
                          0);
    if (locked < 0)
        throw error("lock", locked);
    FileStatus status; // behind the lock: the one before may have written until then
    if (const int result = fileSystem.status(file_.number(), status); result < 0)
        throw error("stat", result);
    if (!S_ISREG(status.mode))
        throw Error(ErrorCode::internal, inQuotes(path) + " is not a regular file, and cannot be "
                                                          "an audit trail");
    size_ = status.size;
    readEnd();
}

TrailFile::~TrailFile() {
    fileSystem_.unlockDirectory(file_.number());
}

void TrailFile::readEnd() {
    const End end = endOf(fileSystem_, file_.number(), size_);
    if (end.read < 0)
        throw error("read", end.read);
    if (!end.head)
        throw Error(ErrorCode::internal,
                    inQuotes(path_) +
                        " does not end with a record of an audit trail; move it away");
    openedAt_ = *end.head;
    tornBytes_ = end.torn;
    if (tornBytes_ == 0)
        return;
    size_ -= tornBytes_;
    if (const int result = fileSystem_.truncate(file_.number(), size_); result < 0)
        throw error("cut a torn line off", result);
}

std::optional<std::uint64_t> TrailFile::firstSequence() const {
    std::string text(std::min(static_cast<std::size_t>(size_), kMaxLine), '\0');
    if (const ssize_t result = readFrom(fileSystem_, file_.number(), 0, text); result < 0)
        throw error("read", result);
    return sequenceOf(std::string_view(text).substr(0, text.find('\n')));
}

std::string TrailFile::linesAtEnd(std::size_t size) const {
    const off_t from = std::max<off_t>(0, size_ - static_cast<off_t>(size));
    std::string text(static_cast<std::size_t>(size_ - from), '\0');
    if (const ssize_t result = readFrom(fileSystem_, file_.number(), from, text); result < 0)
        throw error("read", result);
    if (from > 0)
        text.erase(0, text.find('\n') + 1);
    return text;
}

Head TrailFile::endOfRotated(FileSystem &fileSystem, const std::string &path) {
    Head last;
    const std::string name = nameIn(path);
    const Descriptor directory(fileSystem, fileSystem.openDirectory(directoryOf(path)));
    if (directory.number() < 0)
        return last;
    std::vector<std::string> rotated;
    fileSystem.list(directory.number(), [&](std::string_view each) {
        if (each.starts_with(name + ".") || each.starts_with(name + "-"))
            rotated.emplace_back(each);
    });
    for (const std::string &each : rotated) {
        const Descriptor file(fileSystem,
                              fileSystem.open(directory.number(), each.c_str(),
                                              O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0));
        FileStatus status;
        if (file.number() < 0 || fileSystem.status(file.number(), status) < 0 ||
            !S_ISREG(status.mode))
            continue;
        const End end = endOf(fileSystem, file.number(), status.size);
        if (end.head && end.head->sequence > last.sequence)
            last = *end.head;
    }
    return last;
}

TrailFile::State TrailFile::look() {
    FileStatus now;
    if (const int result = fileSystem_.status(file_.number(), now); result < 0)
        throw error("stat", result);
    FileStatus named;
    const int result = fileSystem_.statusAt(directory_.number(), nameIn(path_).c_str(), named);
    if (result < 0 && result != -ENOENT)
        throw error("stat", result);
    if (result == -ENOENT || !named.isSameFile(now))
        return State::replaced;
    return now.size < size_ ? State::shorter : State::same;
}

void TrailFile::append(std::string_view lines, bool isSynced) {
    const off_t end = size_ + static_cast<off_t>(lines.size());
    try {
        write(lines);
        if (isSynced)
            sync();
    } catch (const Error &) {
        // Their calls are refused. What cannot be cut off here, the next opening finds.
        fileSystem_.truncate(file_.number(), size_);
        throw;
    }
    size_ = end;
}

void TrailFile::write(std::string_view lines) {
    while (!lines.empty()) {
        const ssize_t written = fileSystem_.write(file_.number(), lines.data(), lines.size());
        if (written <= 0)
            throw error("write", written < 0 ? written : -EIO);
        lines.remove_prefix(static_cast<std::size_t>(written));
    }
}

void TrailFile::sync() {
    if (const int result = fileSystem_.sync(file_.number()); result < 0)
        throw error("sync", result);
    if (isNameSynced_)
        return;
    const int result = fileSystem_.sync(directory_.number());
    if (result < 0 && !isSyncUnavailable(result))
        throw error("sync the directory of", result);
    isNameSynced_ = true;
}

} // namespace keyhold::audit
