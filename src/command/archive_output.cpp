// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/archive_output.h"

#include "conf/error.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace keyhold::command {

namespace {

constexpr std::size_t kBufferSize = std::size_t{64} * 1024;
constexpr mode_t kMode = S_IRUSR | S_IWUSR;

std::string directoryOf(const std::string &path) {
    return std::filesystem::absolute(path).lexically_normal().parent_path().string();
}

} // namespace

ArchiveOutput::ArchiveOutput(FileSystem &fileSystem, int descriptor, std::string what)
    : fileSystem_(fileSystem),
      descriptor_(descriptor),
      what_(std::move(what)),
      buffer_(kBufferSize) {}

void ArchiveOutput::write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        if (used_ == buffer_.size())
            flush();
        const std::size_t step = std::min(bytes.size(), buffer_.size() - used_);
        std::ranges::copy(bytes.first(step),
                          buffer_.bytes().begin() + static_cast<std::ptrdiff_t>(used_));
        used_ += step;
        bytes = bytes.subspan(step);
    }
}

void ArchiveOutput::flush() {
    const int result =
        fileSystem_.writeAll(descriptor_, buffer_.bytes().first(std::exchange(used_, 0)));
    if (result < 0)
        throw Error(ErrorCode::fileAccess, "cannot write " + what_, -result);
}

NewArchiveFile::NewArchiveFile(FileSystem &fileSystem, const std::string &path, bool replaces)
    : name_(std::filesystem::path(path).filename().string()),
      partialName_(name_ + ".partial"),
      directory_(fileSystem, directoryOf(path)),
      replaces_(replaces) {
    if (name_.empty() || name_ == "." || name_ == "..")
        throw Error(ErrorCode::invalidArgument, inQuotes(path) + " is not the name of a file");
    requireFree();
    const auto create = [&] {
        return fileSystem.open(directory_.number(), partialName_.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kMode);
    };
    int number = create();
    if (number == -EEXIST) { // of a backup that was killed
        directory_.unlink(partialName_);
        number = create();
    }
    if (number < 0)
        throw directory_.error(ErrorCode::fileAccess, "cannot create", partialName_, number);
    file_ = Descriptor(fileSystem, number);
    isOurs_ = true;
    output_.emplace(fileSystem, number, inQuotes(partialPath()));
    if (const int result = fileSystem.setMode(number, kMode); result < 0) {
        fileSystem.unlink(directory_.number(), partialName_.c_str());
        throw directory_.error(ErrorCode::fileAccess, "cannot set the mode of", partialName_,
                               result);
    }
}

NewArchiveFile::~NewArchiveFile() {
    if (isOurs_)
        directory_.fileSystem().unlink(directory_.number(), partialName_.c_str());
}

void NewArchiveFile::requireFree() const {
    FileStatus status;
    const int result = directory_.fileSystem().statusAt(directory_.number(), name_.c_str(), status);
    if (result == 0 && !S_ISREG(status.mode))
        throw Error(ErrorCode::invalidArgument,
                    inQuotes(directory_.pathOf(name_)) +
                        " is not a regular file; write to standard output with -");
    if (!replaces_ && directory_.contains(name_))
        throw Error(ErrorCode::invalidArgument,
                    inQuotes(directory_.pathOf(name_)) +
                        " is there already; name another file, or replace it with --force");
}

/// Another backup to the same file takes this one for one that was killed.
void NewArchiveFile::requireOwnPartial() const {
    FileSystem &fileSystem = directory_.fileSystem();
    FileStatus own;
    FileStatus named;
    if (fileSystem.status(file_.number(), own) < 0 ||
        fileSystem.statusAt(directory_.number(), partialName_.c_str(), named) < 0 ||
        !own.isSameFile(named))
        throw Error(ErrorCode::fileAccess,
                    inQuotes(partialPath()) + " was replaced; is another backup at work there?");
}

void NewArchiveFile::sync() {
    output_->flush();
    if (const int result = directory_.fileSystem().sync(file_.number()); result < 0)
        throw directory_.error(ErrorCode::fileAccess, "cannot sync", partialName_, result);
    ::posix_fadvise(file_.number(), 0, 0, POSIX_FADV_DONTNEED);
}

void NewArchiveFile::publish() {
    requireOwnPartial();
    requireFree();
    if (!directory_.rename(partialName_, name_))
        throw Error(ErrorCode::fileAccess, inQuotes(partialPath()) + " is gone");
    isOurs_ = false;
    directory_.syncOrRaise();
}

} // namespace keyhold::command
