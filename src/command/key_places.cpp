// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/key_places.h"

#include "conf/error.h"
#include "os/file_system.h"

#include <filesystem>
#include <iterator>
#include <system_error>

#include <sys/stat.h>

namespace keyhold::command {

namespace {

namespace fs = std::filesystem;

constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

/// By what the directories are: one may be mounted in several places.
bool isBelow(const fs::path &path, const FileStatus &directory) {
    for (fs::path at = path.parent_path();; at = at.parent_path()) {
        FileStatus status;
        if (posixFileSystem().statusOf(at.string(), status) == 0 && status.isSameFile(directory))
            return true;
        if (at == at.parent_path())
            return false;
    }
}

void checkDirectories(std::vector<Finding> &found, const fs::path &key) {
    for (fs::path at = key.parent_path();; at = at.parent_path()) {
        FileStatus status;
        if (posixFileSystem().statusOf(at.string(), status) == 0 &&
            (status.mode & kWritableByOthers) != 0 &&
            // In a sticky directory others cannot exchange what is there.
            ((status.mode & S_ISVTX) == 0 || at == key.parent_path())) {
            found.push_back({Finding::Kind::keyFile, key.string(),
                             "is below " + inQuotes(at.string()) +
                                 ", in which others can write; move it, or chmod go-w that"});
        }
        if (at == at.parent_path())
            return;
    }
}

} // namespace

std::vector<Finding> keyPlaces(const KeyPlan &plan, const std::string &store,
                               const ExpectedModes &expected) {
    std::vector<std::string> paths = plan.earlierKeyPaths;
    if (!plan.keyPath.empty() && plan.source != KeyPlan::Source::credential)
        paths.insert(paths.begin(), plan.keyPath);
    std::vector<Finding> found;
    std::error_code error;
    FileStatus status;
    const bool hasStore = posixFileSystem().statusOf(store, status) == 0;
    for (const std::string &path : paths) {
        const fs::path key = fs::canonical(path, error);
        if (error)
            continue;
        if (hasStore && isBelow(key, status))
            found.push_back({Finding::Kind::keyFile, key.string(),
                             "is in the directory of the values that it opens: who copies one has "
                             "both; move it"});
        checkDirectories(found, key);
        std::ranges::move(fileModes(key.string(), Finding::Kind::keyFile, expected),
                          std::back_inserter(found));
    }
    return found;
}

} // namespace keyhold::command
