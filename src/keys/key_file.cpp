// SPDX-License-Identifier: LGPL-2.1-or-later
#include "keys/key_file.h"

#include "conf/error.h"
#include "os/descriptor.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace keyhold {
namespace {

constexpr std::size_t kSize = Key::kSize;

std::string named(const std::string &path) {
    return "key file " + inQuotes(path);
}

[[noreturn]] void refuse(const std::string &text, SourcePlace place = SourcePlace::current()) {
    throw Error(ErrorCode::invalidEncryptionKey, text, 0, place);
}

[[noreturn]] void refuse(const std::string &doing, const std::string &path, int error,
                         SourcePlace place = SourcePlace::current()) {
    const std::string cause =
        Error(ErrorCode::systemCall, doing + " " + named(path), error).fullText();
    if (error == ENOENT)
        throw NoKeyError(
            cause + "; put the key back and reload, a new one opens nothing that was sealed",
            "'keyhold encrypt on' makes one", place);
    refuse(cause + "; make it readable and reload", place);
}

void requireTime(const Deadline &deadline, const std::string &path) {
    if (deadline.hasPassed())
        refuse(named(path) + " could not be read in time; see what its file system waits for, and "
                             "reload");
}

/// Opens without waiting for the other end of a FIFO and without taking a terminal.
Descriptor openKeyFile(FileSystem &fileSystem, const std::string &path, const Deadline &deadline) {
    if (!path.starts_with('/'))
        refuse(named(path) + " is not named by an absolute path; name it by one and reload");
    requireTime(deadline, path);
    const int number = fileSystem.open(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (number < 0)
        refuse("cannot open", path, -number);
    return {fileSystem, number};
}

/// Bytes read, which fill `buffer` if the file is longer.
std::size_t readInto(FileSystem &fileSystem, const Descriptor &file, const std::string &path,
                     std::span<std::uint8_t> buffer, const Deadline &deadline) {
    std::size_t have = 0;
    while (have < buffer.size()) {
        requireTime(deadline, path);
        const ssize_t got =
            fileSystem.read(file.number(), buffer.data() + have, buffer.size() - have);
        if (got < 0)
            refuse("cannot read", path, static_cast<int>(-got));
        if (got == 0)
            break;
        have += static_cast<std::size_t>(got);
    }
    return have;
}

[[noreturn]] void refuseSize(const std::string &path, std::size_t size, bool hasNewline) {
    const std::string begin = named(path) + " must hold exactly 32 bytes, ";
    if (size == kSize + 1 && hasNewline)
        refuse(begin + "and has a newline behind them; remove it with 'truncate -s 32 " + path +
               "' and reload");
    throw NoKeyError(begin + "raw and not as text, and holds " +
                         (size > kSize ? "more" : std::to_string(size)) +
                         "; put the key there that the values were sealed with, and reload",
                     "remove it, and 'keyhold encrypt on' makes one");
}

} // namespace

bool mayBeAKey(FileSystem &fileSystem, const std::string &text) {
    constexpr std::size_t kShortest = 32;
    const auto isOfText = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/' || c == '-' || c == '_' || c == '=' || c == ' ' || c == '\t' ||
               c == '\r' || c == '\n';
    };
    if (text.size() < kShortest || !std::ranges::all_of(text, isOfText))
        return false;
    FileStatus status;
    const auto isMissing = [&](const std::string &path) {
        const int result = fileSystem.statusOf(path, status);
        return result == -ENOENT || result == -ENOTDIR || result == -ENAMETOOLONG;
    };
    const std::size_t slash = text.find('/', 1);
    return isMissing(text) && (slash == std::string::npos || isMissing(text.substr(0, slash)));
}

std::string complaintAboutKeyFile(const FileStatus &status, uid_t self, const std::string &path) {
    const std::string begin = "; nothing new is sealed with it until that is put right: ";
    const std::string end = " and reload";
    if (status.owner != 0 && status.owner != self)
        return named(path) + " belongs to user " + std::to_string(status.owner) +
               ", who can replace it" + begin + "chown " + std::to_string(self) + " " + path + end;
    if ((status.mode & S_IWOTH) != 0 || (status.mode & S_IWGRP) != 0)
        return named(path) + " can be written by others" + begin + "chmod 0600 " + path + end;
    if ((status.mode & S_IROTH) != 0)
        return named(path) + " can be read by everybody" + begin + "chmod 0600 " + path + end;
    return {};
}

KeyFile::KeyFile(FileSystem &fileSystem, std::string path, std::string setting)
    : KeySource(std::move(path)),
      fileSystem_(fileSystem),
      setting_(std::move(setting)) {}

FetchedKey KeyFile::fetch(const Deadline &deadline) const {
    const std::string &path = name();
    if (!setting_.empty() && mayBeAKey(fileSystem_, path))
        refuse(setting_ + " names no file that is there, and it is not shown because it could be a "
                          "key; write the key to a file, name that and reload");
    const Descriptor file = openKeyFile(fileSystem_, path, deadline);
    FileStatus status;
    if (const int result = fileSystem_.status(file.number(), status); result < 0)
        refuse("cannot stat", path, -result);
    if (!S_ISREG(status.mode))
        refuse(named(path) + " is not a regular file; put a file of 32 bytes there and reload");

    GuardedMemory buffer(kSize + 2);
    const std::size_t size = readInto(fileSystem_, file, path, buffer.bytes(), deadline);
    if (size != kSize)
        refuseSize(path, size, buffer.bytes()[kSize] == '\n');

    FetchedKey out{GuardedMemory(kSize), complaintAboutKeyFile(status, ::geteuid(), path)};
    const auto key = buffer.bytes().first(kSize);
    std::copy(key.begin(), key.end(), out.bytes.bytes().begin());
    std::uint8_t any = 0;
    for (const std::uint8_t byte : key)
        any |= byte;
    if (any == 0)
        out.complaint = named(path) + " holds nothing but zeros; nothing is sealed with it: put " +
                        "the right key back and reload; if nothing was sealed yet, remove it, and "
                        "'keyhold encrypt on' makes one";
    return out;
}

Credential::Credential(FileSystem &fileSystem, const char *directory)
    : KeyFile(fileSystem,
              directory == nullptr ? "" : std::string(directory) + "/secrets-encryption-key") {}

bool Credential::exists() const {
    if (name().empty())
        return false;
    FileStatus status;
    const int result = fileSystem().statusOf(name(), status);
    const bool isHidden = result == -EACCES && ::geteuid() != 0;
    return result != -ENOENT && result != -ENOTDIR && !isHidden;
}

} // namespace keyhold
