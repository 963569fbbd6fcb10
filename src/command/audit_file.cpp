// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit_file.h"

#include "audit/chain.h"
#include "audit/record.h"
#include "audit/trail_file.h"
#include "conf/error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include <archive.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace keyhold::command {

namespace {

constexpr std::size_t kBlockSize = std::size_t{64} << 10;
constexpr std::size_t kMaxLine = audit::TrailFile::kMaxLine;

/// Whether a name is that of a rotated file: ".1", "-20261129", "-20261129-1764374400.gz".
bool isRotatedName(std::string_view name, std::string_view base) {
    if (!name.starts_with(base))
        return false;
    name.remove_prefix(base.size());
    for (const std::string_view suffix : {".gz", ".bz2", ".xz", ".zst"}) {
        if (name.ends_with(suffix)) {
            name.remove_suffix(suffix.size());
            break;
        }
    }
    const auto isDigit = [](char each) { return each >= '0' && each <= '9'; };
    return name.size() > 1 && (name[0] == '.' || name[0] == '-') && isDigit(name[1]) &&
           std::ranges::all_of(name, [&](char each) {
               return isDigit(each) || std::string_view(".-_:T").find(each) != std::string::npos;
           });
}

TrailPart partAt(const std::string &path) {
    TrailFileReader reader(path);
    TrailPart part{path, reader.status()};
    try {
        while (const auto line = reader.next()) {
            const auto parsed = audit::parseLine(line->text);
            if (const auto sequence = parsed ? audit::sequenceOf(parsed->record) : std::nullopt) {
                part.first = *sequence;
                break;
            }
        }
    } catch (const Error &error) {
        if (error.code() != ErrorCode::valueUnreadable) // it is told when it is read
            throw;
    }
    return part;
}

} // namespace

TrailFileReader::TrailFileReader(const std::string &path)
    : path_(path),
      file_(posixFileSystem(),
            posixFileSystem().open(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK, 0)),
      archive_(::archive_read_new()) {
    if (file_.number() < 0)
        throw Error(ErrorCode::fileAccess, "cannot open " + inQuotes(path), -file_.number());
    const int result = posixFileSystem().status(file_.number(), status_);
    if (result < 0)
        throw Error(ErrorCode::fileAccess, "cannot stat " + inQuotes(path), -result);
    if (!S_ISREG(status_.mode))
        throw Error(ErrorCode::fileAccess, inQuotes(path) + " is no regular file");
    if (!archive_)
        throw Error(ErrorCode::noMemory, "out of memory");
    for (const auto support : {archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
                               archive_read_support_filter_xz, archive_read_support_filter_zstd,
                               archive_read_support_format_empty, archive_read_support_format_raw})
        support(archive_.get());
    archive_entry *entry = nullptr;
    if (::archive_read_open_fd(archive_.get(), file_.number(), kBlockSize) != ARCHIVE_OK)
        raise();
    const int found = ::archive_read_next_header(archive_.get(), &entry);
    isEmpty_ = found == ARCHIVE_EOF;
    if (!isEmpty_ && found != ARCHIVE_OK)
        raise();
}

std::optional<TrailLine> TrailFileReader::next() {
    line_.clear();
    bool isTooLong = false;
    bool hasPart = false;
    for (;;) {
        if (block_.empty() && !fill()) {
            if (!hasPart)
                return std::nullopt;
            return TrailLine{line_, ++lines_, false, isTooLong};
        }
        const std::size_t end = block_.find('\n');
        const std::string_view part = block_.substr(0, end);
        block_.remove_prefix(end == std::string_view::npos ? block_.size() : end + 1);
        if (line_.size() + part.size() > kMaxLine)
            isTooLong = true;
        if (end != std::string_view::npos && !hasPart && !isTooLong)
            return TrailLine{part, ++lines_};
        if (isTooLong)
            line_.clear();
        else
            line_ += part;
        hasPart = true;
        if (end != std::string_view::npos)
            return TrailLine{line_, ++lines_, true, isTooLong};
    }
}

bool TrailFileReader::fill() {
    const void *bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    while (!isEmpty_ && size == 0) {
        const int result = ::archive_read_data_block(archive_.get(), &bytes, &size, &offset);
        isEmpty_ = result == ARCHIVE_EOF;
        if (!isEmpty_ && result != ARCHIVE_OK)
            raise();
    }
    if (isEmpty_)
        return false;
    bytes_ += size;
    block_ = {static_cast<const char *>(bytes), size};
    return true;
}

bool TrailFileReader::hasGrown() const {
    FileStatus now;
    // The filter that is always there is that of the file itself.
    return ::archive_filter_count(archive_.get()) == 1 &&
           posixFileSystem().status(file_.number(), now) == 0 &&
           static_cast<std::uint64_t>(now.size) > bytes_;
}

void TrailFileReader::raise() const {
    const char *const text = ::archive_error_string(archive_.get());
    throw Error(ErrorCode::valueUnreadable, "cannot read " + inQuotes(path_) +
                                                " to its end: " + (text ? text : "unknown reason"));
}

std::vector<TrailPart> findTrail(const std::string &path) {
    const std::size_t slash = path.rfind('/');
    const std::string directory =
        slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
    const std::string before = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    const std::string base = path.substr(before.size());
    FileSystem &fileSystem = posixFileSystem();
    const Descriptor opened(fileSystem, fileSystem.openDirectory(directory));
    int result = opened.number();
    std::vector<std::string> names;
    bool hasPresent = false;
    if (result >= 0)
        result = fileSystem.list(result, [&](std::string_view name) {
            if (isRotatedName(name, base))
                names.emplace_back(name);
            hasPresent = hasPresent || name == base;
        });
    if (result < 0 && result != -ENOENT)
        throw Error(ErrorCode::fileAccess, "cannot list " + inQuotes(directory), -result);
    if (names.empty() && !hasPresent)
        throw Error(ErrorCode::notFound, "there is no audit trail " + inQuotes(path));
    std::ranges::sort(names);
    if (hasPresent) // the last of equals
        names.push_back(base);
    std::vector<TrailPart> parts;
    parts.reserve(names.size());
    for (const std::string &name : names)
        parts.push_back(partAt(before + name));
    // One that has no record says nothing of its place.
    std::ranges::stable_sort(parts, {}, [](const TrailPart &part) {
        return part.first == 0 ? ~std::uint64_t{0} : part.first;
    });
    return parts;
}

TrailFileReader openPart(const TrailPart &part) {
    TrailFileReader reader(part.path);
    if (!reader.status().isSameFile(part.status))
        throw Error(ErrorCode::fileAccess, inQuotes(part.path) +
                                               " has been rotated in the meantime; run the "
                                               "command again");
    return reader;
}

bool isBeingWritten(const TrailFileReader &reader) {
    // The rest of a write in progress follows at once, and nothing follows what a crash left.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return reader.hasGrown();
}

} // namespace keyhold::command
