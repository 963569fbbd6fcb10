// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/target.h"

#include "command/holder.h"
#include "command/lost_store.h"
#include "conf/error.h"
#include "os/file_system.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <unistd.h>

namespace keyhold::command {

namespace {

Target embedded(const std::string &root) {
    const std::string path = std::filesystem::absolute(root).lexically_normal().string();
    const std::string bare =
        path.size() > 1 && path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
    return {Target::Kind::embedded, InstancePaths::embedded(bare), bare};
}

Target own() {
    if (::geteuid() == 0)
        return {Target::Kind::system, InstancePaths::system(), {}};
    return {Target::Kind::session, InstancePaths::session(), {}};
}

/// Links and other spellings lead to the same root.
bool isSame(const Target &a, const Target &b) {
    std::error_code error;
    return a.kind == b.kind &&
           (a.root == b.root || std::filesystem::equivalent(a.root, b.root, error));
}

std::vector<Target> named(const TargetChoice &choice) {
    if (choice.wantsSession && ::geteuid() == 0)
        throw Error(ErrorCode::invalidArgument,
                    "root has no session instance; run the command as the user whose it is");
    std::vector<Target> targets;
    if (choice.wantsSystem)
        targets.push_back({Target::Kind::system, InstancePaths::system(), {}});
    if (choice.wantsSession)
        targets.push_back({Target::Kind::session, InstancePaths::session(), {}});
    for (const std::string &root : choice.roots) {
        Target target = embedded(root);
        if (std::ranges::none_of(targets,
                                 [&](const Target &named) { return isSame(named, target); }))
            targets.push_back(std::move(target));
    }
    return targets;
}

const char *whoMayLook(const Target &target) {
    return target.kind == Target::Kind::system ? "; run the command as root"
                                               : "; run the command as its owner";
}

void requireDirectory(const Target &target, SourcePlace place = SourcePlace::current()) {
    const std::string &directory = target.paths.configDirectory;
    if (!exists(target))
        throw Error(ErrorCode::notFound, "there is no directory " + inQuotes(directory), 0, place);
    // What comes later would name a file below it, or its lock, and no remedy.
    if (::access(directory.c_str(), R_OK | X_OK) != 0 && errno == EACCES)
        throw Error(ErrorCode::fileAccess,
                    "cannot look into " + inQuotes(directory) + whoMayLook(target), EACCES, place);
}

} // namespace

const char *Target::name() const noexcept {
    switch (kind) {
    case Kind::system:
        return "system";
    case Kind::session:
        return "session";
    case Kind::embedded:
        return "embedded";
    }
    return "";
}

bool exists(const Target &target) {
    FileStatus status;
    const int result = posixFileSystem().statusOf(target.paths.configDirectory, status);
    if (result < 0 && result != -ENOENT && result != -ENOTDIR)
        throw Error(ErrorCode::fileAccess,
                    "cannot look at " + inQuotes(target.paths.configDirectory) + whoMayLook(target),
                    -result);
    return result == 0;
}

std::vector<Target> chooseTargets(const TargetChoice &choice) {
    std::vector<Target> targets = named(choice);
    // A driver may have the store open that was here.
    const auto isHeld = [](const Target &target) { return findHolder(target.paths).has_value(); };
    for (const Target &target : targets) {
        if (exists(target) || !isHeld(target))
            requireDirectory(target);
    }
    if (const Target target = own(); targets.empty() && (exists(target) || isHeld(target)))
        targets.push_back(target);
    return targets;
}

std::vector<Target> chooseWatched(const TargetChoice &choice) {
    std::vector<Target> targets = named(choice);
    if (targets.empty())
        targets.push_back({Target::Kind::system, InstancePaths::system(), {}});
    return targets;
}

Target chooseTarget(const TargetChoice &choice) {
    Target target = chooseSettings(choice);
    if (!exists(target))
        requireNoLostStore(target, findHolder(target.paths));
    requireDirectory(target);
    return target;
}

Target chooseSettings(const TargetChoice &choice) {
    std::vector<Target> targets = named(choice);
    if (targets.size() > 1)
        throw Error(ErrorCode::invalidArgument, "name one store, with --system, --session or "
                                                "--root DIR");
    return targets.empty() ? own() : std::move(targets.front());
}

} // namespace keyhold::command
