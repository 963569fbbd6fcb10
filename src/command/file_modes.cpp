// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/file_modes.h"

#include "conf/error.h"
#include "os/file_system.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <sys/stat.h>

namespace keyhold::command {

namespace {

constexpr mode_t kPermissions = 07777;
constexpr mode_t kOfOthers = S_IRWXG | S_IRWXO;
constexpr mode_t kReadOrWrite =
    S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH; // NOLINT(hicpp-signed-bitwise)
constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

std::string octal(mode_t mode) {
    std::array<char, 16> text{};
    static_cast<void>(std::snprintf(text.data(), text.size(), "%04o",
                                    static_cast<unsigned>(mode & kPermissions)));
    return text.data();
}

void checkOwner(std::vector<Finding> &found, const std::string &path, const FileStatus &status,
                const ExpectedModes &expected) {
    if (std::ranges::find(expected.owners, status.owner) != expected.owners.end())
        return;
    found.push_back({Finding::Kind::owner, path,
                     "belongs to user " + std::to_string(status.owner) + "; chown it to " +
                         std::to_string(expected.owners.front())});
}

void checkDirectory(std::vector<Finding> &found, const std::string &path, const FileStatus &status,
                    const ExpectedModes &expected) {
    const mode_t mode = status.mode & kPermissions;
    if (expected.mode && mode != *expected.mode)
        found.push_back({Finding::Kind::directory, path,
                         "has mode " + octal(mode) + "; chmod " + octal(*expected.mode) + " it"});
    if (!expected.mode && (mode & kOfOthers) != 0)
        found.push_back({Finding::Kind::directory, path, "is open to other users; chmod 0700 it"});
}

void checkFile(std::vector<Finding> &found, const std::string &path, const FileStatus &status,
               const ExpectedModes &expected) {
    const bool isDefinition = path.ends_with(".xml");
    const mode_t allowed = expected.mode.value_or(0) & kReadOrWrite;
    const mode_t forbidden = (isDefinition ? kWritableByOthers : kOfOthers) & ~allowed;
    if ((status.mode & forbidden) != 0)
        found.push_back({Finding::Kind::mode, path,
                         std::string("can be ") + (isDefinition ? "" : "read or ") +
                             "written by other users; chmod 0600 it"});
}

} // namespace

std::vector<Finding> storeModes(const std::string &directory, const ExpectedModes &expected) {
    std::vector<Finding> found;
    FileStatus status;
    if (posixFileSystem().statusOf(directory, status) == 0) {
        checkOwner(found, directory, status, expected);
        checkDirectory(found, directory, status, expected);
    }
    std::error_code error;
    std::filesystem::directory_iterator each(directory, error);
    for (; !error && each != std::filesystem::directory_iterator(); each.increment(error)) {
        const std::string path = each->path().string();
        // The lock of a session and what else is no file of a secret is no concern of this.
        if (posixFileSystem().statusOf(path, status) < 0 || !S_ISREG(status.mode))
            continue;
        checkOwner(found, path, status, expected);
        checkFile(found, path, status, expected);
    }
    if (error)
        throw Error(ErrorCode::fileAccess, "cannot list " + inQuotes(directory), error.value());
    std::ranges::sort(found, {}, &Finding::file);
    return found;
}

std::vector<Finding> fileModes(const std::string &path, Finding::Kind kind,
                               const ExpectedModes &expected) {
    std::vector<Finding> found;
    FileStatus status;
    if (posixFileSystem().statusOf(path, status) < 0)
        return found;
    checkOwner(found, path, status, expected);
    if ((status.mode & kWritableByOthers) != 0)
        found.push_back({kind, path, "can be written by other users; chmod go-w it"});
    return found;
}

std::vector<std::string> writableAbove(const std::string &path) {
    namespace fs = std::filesystem;
    std::vector<std::string> found;
    std::error_code error;
    const fs::path file = fs::weakly_canonical(path, error);
    if (error)
        return found;
    for (fs::path at = file.parent_path();; at = at.parent_path()) {
        FileStatus status;
        if (posixFileSystem().statusOf(at.string(), status) == 0 &&
            (status.mode & kWritableByOthers) != 0 &&
            ((status.mode & S_ISVTX) == 0 || at == file.parent_path()))
            found.push_back(at.string());
        if (at == at.parent_path())
            return found;
    }
}

std::vector<Finding> parentModes(const InstancePaths &paths) {
    std::vector<Finding> found;
    for (const std::string &path : {paths.configDirectory, paths.settingsFile}) {
        for (const std::string &directory : writableAbove(path)) {
            if (std::ranges::find(found, directory, &Finding::file) == found.end())
                found.push_back({Finding::Kind::directory, directory,
                                 "can be written by other users, who can exchange " +
                                     inQuotes(path) + "; chmod go-w it"});
        }
    }
    return found;
}

} // namespace keyhold::command
