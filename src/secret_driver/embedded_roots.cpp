// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/embedded_roots.h"

#include <fcntl.h>

namespace keyhold {

namespace {

std::optional<FileStatus> statusOf(const std::optional<std::string> &root) {
    FileStatus status;
    if (!root || posixFileSystem().statusAt(
                     AT_FDCWD, InstancePaths::embedded(*root).configDirectory.c_str(), status) != 0)
        return std::nullopt;
    return status;
}

FileStatus statusOf(const StoreDirectory &directory) {
    FileStatus status;
    const int result = directory.fileSystem().statusAt(directory.number(), ".", status);
    if (result < 0)
        throw directory.error(ErrorCode::systemCall, "cannot stat directory", "", result);
    return status;
}

} // namespace

std::shared_ptr<Instance> EmbeddedRoot::current() const {
    const MutexLock lock(mutex_);
    return instance_.lock();
}

std::shared_ptr<Instance> EmbeddedRoot::open(std::unique_ptr<StoreDirectory> directory,
                                             const InstancePaths &paths, Inhibitor &inhibitor) {
    const MutexLock opening(opening_);
    if (auto instance = current())
        return instance;

    // The last instance may be on its way out on another thread, and holds the lock until the end.
    isReleased_.wait(false);
    isReleased_ = false;
    const auto release = [this](Instance *last) {
        delete last;
        isReleased_ = true;
        isReleased_.notify_all();
    };
    std::shared_ptr<Instance> shared;
    try {
        auto instance = std::make_unique<Instance>(
            paths, std::make_unique<StoreLock>(posixFileSystem(), paths.stateDirectory),
            std::move(directory), inhibitor, events_);
        shared = std::shared_ptr<Instance>(instance.release(), release);
    } catch (...) {
        release(nullptr);
        throw;
    }
    const MutexLock lock(mutex_);
    instance_ = shared;
    return shared;
}

virConnectPtr EmbeddedRoot::ownConnection(const std::function<virConnectPtr()> &make) {
    const MutexLock lock(connecting_);
    if (!ownConnection_)
        ownConnection_ = make();
    return ownConnection_;
}

EmbeddedRoots::Opened EmbeddedRoots::open(const std::string &root) {
    const InstancePaths paths = InstancePaths::embedded(root);
    auto directory = Instance::openDirectory(paths);
    EmbeddedRoot &entry = rootOf(root, statusOf(*directory));
    return {&entry, entry.open(std::move(directory), paths, inhibitor_)};
}

EmbeddedRoot &EmbeddedRoots::rootOf(const std::string &spelling, const FileStatus &directory) {
    const MutexLock lock(mutex_);
    for (EmbeddedRoot &root : roots_) {
        if (root.isDirectory(directory))
            return root;
    }
    return roots_.emplace_back(spelling, directory);
}

std::shared_ptr<Instance> EmbeddedRoots::find(const std::optional<std::string> &root) {
    const std::optional<FileStatus> wanted = statusOf(root);
    // Outlives the lock: an instance whose last reference goes here gives its files back.
    std::vector<std::shared_ptr<Instance>> open;
    std::string names;
    {
        const MutexLock lock(mutex_);
        for (EmbeddedRoot &entry : roots_) {
            auto instance = entry.current();
            if (!instance)
                continue;
            names += (names.empty() ? "" : ", ") + inQuotes(entry.spelling());
            open.push_back(std::move(instance));
            if (wanted && entry.isDirectory(*wanted))
                return open.back();
        }
    }
    if (open.size() == 1)
        return open.front();
    const std::string asked =
        root ? "root " + inQuotes(*root) + " has no embedded secret driver of its own"
             : "this connection names no embedded root";
    if (open.empty())
        throw Error(ErrorCode::internal, asked + " and none is open in this process; open "
                                                 "secret:///embed with the same root first");
    throw Error(ErrorCode::internal, asked + ", and several are open in this process: " + names +
                                         "; use one of these roots");
}

std::vector<std::shared_ptr<Events>>
EmbeddedRoots::eventsFor(const std::optional<std::string> &root) {
    const std::optional<FileStatus> wanted = statusOf(root);
    std::vector<std::shared_ptr<Events>> events;
    const MutexLock lock(mutex_);
    for (EmbeddedRoot &entry : roots_) {
        const bool isFirst = wanted && entry.isDirectory(*wanted);
        events.insert(isFirst ? events.begin() : events.end(), entry.events());
    }
    return events;
}

} // namespace keyhold
