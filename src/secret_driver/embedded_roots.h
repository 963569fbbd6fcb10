// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/mutex.h"
#include "secret_driver/instance.h"

#include <libvirt/libvirt.h>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyhold {

/// One directory of secrets that this process has opened at some time. Never destroyed: handles on
/// it may be anywhere.
class EmbeddedRoot {
  public:
    /// Raises noMemory.
    EmbeddedRoot(std::string spelling, const FileStatus &directory)
        : spelling_(std::move(spelling)),
          directory_(directory),
          events_(std::make_shared<Events>()) {}

    /// The root as it was first spelled.
    [[nodiscard]] const std::string &spelling() const noexcept { return spelling_; }
    /// By device and inode; while no instance is open, also by the time it was made: a directory
    /// that was removed gives its inode to the next one. One that is open keeps it, and on
    /// overlayfs the first change of its files gives it another time.
    [[nodiscard]] bool isDirectory(const FileStatus &directory) const noexcept {
        return directory.isSameFile(directory_) &&
               (directory.born == directory_.born || !isReleased_);
    }

    /// The watchers of its secrets. They stay while no instance is open: a connection of another
    /// driver does not keep the one it watches.
    [[nodiscard]] const std::shared_ptr<Events> &events() const noexcept { return events_; }

    /// The instance if it is open, else null.
    [[nodiscard]] std::shared_ptr<Instance> current() const;

    /// The instance, opened if it is not. One thread opens, others that come until then wait for
    /// it. Raises fileAccess if another process holds the lock.
    [[nodiscard]] std::shared_ptr<Instance> open(std::unique_ptr<StoreDirectory> directory,
                                                 const InstancePaths &paths, Inhibitor &inhibitor);

    /// Our own connection to this root, for other drivers to find; made by `make` at first use and
    /// never closed, because libvirt keeps bare pointers to it. Null if it could not be made.
    [[nodiscard]] virConnectPtr ownConnection(const std::function<virConnectPtr()> &make);

  private:
    const std::string spelling_;
    const FileStatus directory_;
    const std::shared_ptr<Events> events_;
    Mutex opening_; // one thread at a time
    mutable Mutex mutex_;
    std::weak_ptr<Instance> instance_ GUARDED_BY(mutex_);
    std::atomic<bool> isReleased_{true}; // false until the last instance has given everything back
    Mutex connecting_;
    virConnectPtr ownConnection_ GUARDED_BY(connecting_) = nullptr;
};

/// All embedded roots of this process, distinguished by the directory and not by its spelling.
class EmbeddedRoots {
  public:
    explicit EmbeddedRoots(Inhibitor &inhibitor) : inhibitor_(inhibitor) {}

    struct Opened {
        EmbeddedRoot *root;
        std::shared_ptr<Instance> instance;
    };
    /// Opens the secrets below `root`, which is made if it is missing.
    [[nodiscard]] Opened open(const std::string &root);

    /// For a connection of another driver: the open instance with the same root, else the only one
    /// that is open. Raises internal, naming the roots, if there is none or a choice.
    [[nodiscard]] std::shared_ptr<Instance> find(const std::optional<std::string> &root);

    /// Where a connection of another driver may have registered for events, most likely first:
    /// which root served it then need not be the one that would serve it now.
    [[nodiscard]] std::vector<std::shared_ptr<Events>>
    eventsFor(const std::optional<std::string> &root);

  private:
    EmbeddedRoot &rootOf(const std::string &spelling, const FileStatus &directory);

    Inhibitor &inhibitor_;
    Mutex mutex_;
    std::list<EmbeddedRoot> roots_ GUARDED_BY(mutex_); // addresses stay good
};

} // namespace keyhold
