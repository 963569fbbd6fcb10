// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/key_places.h"

#include "conf/error.h"
#include "os/file_system.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace keyhold::command {

namespace {

namespace fs = std::filesystem;

bool leadsTo(const std::string &path, const FileStatus &file) {
    FileStatus status;
    return posixFileSystem().statusOf(path, status) == 0 && status.isSameFile(file);
}

/// By what the directories are: one may be mounted in several places.
bool isBelow(const fs::path &path, const FileStatus &directory) {
    for (fs::path at = path.parent_path();; at = at.parent_path()) {
        if (leadsTo(at.string(), directory))
            return true;
        if (at == at.parent_path())
            return false;
    }
}

std::vector<std::string> keyPathsOf(const KeyPlan &plan) {
    std::vector<std::string> paths = plan.earlierKeyPaths;
    if (!plan.keyPath.empty() && plan.source != KeyPlan::Source::credential)
        paths.insert(paths.begin(), plan.keyPath);
    return paths;
}

} // namespace

bool isKeyOf(const KeyPlan &plan, const FileStatus &file) {
    return std::ranges::any_of(keyPathsOf(plan),
                               [&](const std::string &path) { return leadsTo(path, file); });
}

std::vector<Finding> keyPlaces(const KeyPlan &plan, const std::string &store,
                               const ExpectedModes &expected) {
    const std::vector<std::string> paths = keyPathsOf(plan);
    std::vector<Finding> found;
    std::error_code error;
    FileStatus status;
    const bool hasStore = posixFileSystem().statusOf(store, status) == 0;
    const std::string parentPath = fs::path(store).parent_path().string();
    FileStatus parent;
    const bool hasParent = posixFileSystem().statusOf(parentPath, parent) == 0;
    for (const std::string &path : paths) {
        const fs::path key = fs::canonical(path, error);
        if (error)
            continue;
        if (hasStore && isBelow(key, status))
            found.push_back({Finding::Kind::keyFile, key.string(), kKeyBesideValues});
        else if (hasParent && isBelow(key, parent))
            found.push_back({Finding::Kind::keyFile, key.string(),
                             "is below " + inQuotes(parentPath) +
                                 ", as the values are: who copies that has both; move it"});
        for (const std::string &directory : writableAbove(key.string()))
            found.push_back({Finding::Kind::keyFile, key.string(),
                             "is below " + inQuotes(directory) +
                                 ", in which others can write; move it, or chmod go-w that"});
        std::ranges::move(fileModes(key.string(), Finding::Kind::keyFile, expected),
                          std::back_inserter(found));
    }
    return found;
}

} // namespace keyhold::command
