// SPDX-License-Identifier: LGPL-2.1-or-later
#include "watch.h"

#include <atomic>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace keyhold::faults {

namespace {

struct State {
    std::mutex lock;
    std::string directory;
    Fault fault;
    bool armed = false;
    bool met = false;
    std::set<ino_t> spared;
    int creationsSpared = 0;
    bool tracing = false;
    Trace trace;
};

std::atomic<bool> active{false};

// Never destroyed: close() and write() are called until the very end of the process.
State &state() {
    static State *only = new State;
    return *only;
}

std::string resolved(const std::string &path) {
    char buffer[PATH_MAX];
    return realpath(path.c_str(), buffer) ? std::string(buffer) : path;
}

std::string pathOf(int descriptor) {
    char target[PATH_MAX];
    std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    ssize_t length = readlink(link.c_str(), target, sizeof target);
    return length > 0 ? std::string(target, static_cast<std::size_t>(length)) : std::string();
}

Place split(const std::string &path) {
    std::size_t slash = path.rfind('/');
    if (slash == std::string::npos)
        return {};
    return {.directory = path.substr(0, slash), .name = path.substr(slash + 1)};
}

bool needsRegularFile(Call call) {
    return call == Call::write || call == Call::sync || call == Call::close;
}

/// Under the lock: whether the file is one of the first that the fault leaves alone. A file that is
/// being created has no inode yet; each creation is a file of its own.
bool isSpared(State &own, const FileCall &what) {
    if (what.call == Call::create)
        return own.creationsSpared++ < own.fault.filesSpared;
    if (own.spared.contains(what.place.inode))
        return true;
    if (own.spared.size() >= static_cast<std::size_t>(own.fault.filesSpared))
        return false;
    own.spared.insert(what.place.inode);
    return true;
}

/// Under the lock: whether the armed fault is about this call.
bool meets(State &own, const FileCall &what) {
    if (!own.armed || what.call != own.fault.call || what.place.directory != own.directory)
        return false;
    if (needsRegularFile(what.call) && !what.place.isRegular)
        return false;
    if (!own.fault.name.empty() && what.place.name != own.fault.name)
        return false;
    return !isSpared(own, what);
}

[[noreturn]] void die() {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

} // namespace

void arm(const std::string &directory, const Fault &fault) {
    State &own = state();
    std::lock_guard lock(own.lock);
    own.directory = resolved(directory);
    own.fault = fault;
    own.armed = true;
    own.met = false;
    own.spared.clear();
    own.creationsSpared = 0;
    active = true;
}

bool disarm() {
    State &own = state();
    std::lock_guard lock(own.lock);
    own.armed = false;
    active = own.tracing;
    return own.met;
}

void startTrace(const std::string &directory) {
    State &own = state();
    std::lock_guard lock(own.lock);
    own.directory = resolved(directory);
    own.tracing = true;
    own.trace = {};
    active = true;
}

Trace stopTrace() {
    State &own = state();
    std::lock_guard lock(own.lock);
    own.tracing = false;
    active = own.armed;
    return own.trace;
}

bool watching() {
    return active;
}

Place placeOf(int descriptor) {
    struct stat status {};
    if (fstat(descriptor, &status) < 0)
        return {};
    std::string path = pathOf(descriptor);
    if (S_ISDIR(status.st_mode))
        return {.directory = path, .isDirectory = true, .inode = status.st_ino};
    Place place = split(path);
    place.isRegular = S_ISREG(status.st_mode);
    place.inode = status.st_ino;
    return place;
}

Place placeOf(int directory, const char *path) {
    std::string full = path;
    if (!full.starts_with('/')) {
        char current[PATH_MAX];
        std::string base = directory != AT_FDCWD             ? pathOf(directory)
                           : getcwd(current, sizeof current) ? std::string(current)
                                                             : std::string();
        full = base + "/" + full;
    }
    Place place = split(full);
    place.directory = resolved(place.directory);
    return place;
}

Verdict before(const FileCall &call) {
    State &own = state();
    std::lock_guard lock(own.lock);
    if (!meets(own, call))
        return {};
    if (own.fault.times == 0)
        return {};
    own.fault.times--;
    own.met = true;
    if (own.fault.action == Action::killBefore)
        die();
    if (own.fault.action == Action::killAfter)
        return {.dieAfter = true};
    return {.error = own.fault.error};
}

void after(const Verdict &verdict) {
    if (verdict.dieAfter)
        die();
}

void countOpen(const Place &place, int flags) {
    State &own = state();
    std::lock_guard lock(own.lock);
    if (!own.tracing || place.directory != own.directory)
        return;
    own.trace.opened++;
    if (!(flags & O_CLOEXEC))
        own.trace.inheritable++;
}

void countSync(const Place &place) {
    State &own = state();
    std::lock_guard lock(own.lock);
    if (!own.tracing || place.directory != own.directory)
        return;
    if (place.isDirectory)
        own.trace.directorySyncs++;
    else
        own.trace.fileSyncs++;
}

} // namespace keyhold::faults
