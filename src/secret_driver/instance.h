// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "remote/events.h"
#include "secret_driver/inhibitor.h"
#include "store/secret_store.h"
#include "store/store_directory.h"
#include "store/store_lock.h"

#include <memory>
#include <mutex>
#include <string>

namespace keyhold {

/// Where an instance keeps its files (docs/architecture.md, "On disk").
struct InstancePaths {
    std::string configDirectory;
    std::string stateDirectory;

    [[nodiscard]] static InstancePaths system();
    /// XDG directories, as libvirt finds them for the user of this process.
    [[nodiscard]] static InstancePaths session();
    [[nodiscard]] static InstancePaths embedded(const std::string &root);
};

/// One store of secrets at work: its files, its lock against other processes, its live set and its
/// watchers. Released with its last reference, on whichever thread that goes.
class Instance {
  public:
    /// Makes the directories that are missing and opens the one with the secrets. Raises
    /// systemCall.
    [[nodiscard]] static std::unique_ptr<StoreDirectory> openDirectory(const InstancePaths &paths);

    /// An instance that has everything it needs, or raises. `lock` and `directory` belong together;
    /// `events` outlives it.
    Instance(std::unique_ptr<StoreLock> lock, std::unique_ptr<StoreDirectory> directory,
             Inhibitor &inhibitor, std::shared_ptr<Events> events);
    /// An instance for a daemon that must start whatever is wrong with its store: what cannot be
    /// had goes to the log, and calls that need it raise the reason. Raises only if another process
    /// holds the lock.
    Instance(const InstancePaths &paths, Inhibitor &inhibitor);

    [[nodiscard]] SecretStore &store() noexcept { return store_; }
    [[nodiscard]] const std::shared_ptr<Events> &events() const noexcept { return events_; }

    void reload();
    /// Tells watchers and the host what has changed. Call after each change, without any lock held.
    void announce() noexcept;

  private:
    [[nodiscard]] std::shared_ptr<Backend> openBackend(bool &isImpaired);
    void sendEvents();

    InstancePaths paths_; // empty unless this is a daemon's
    Inhibitor &inhibitor_;
    std::unique_ptr<StoreLock> lock_; // outlives what it protects
    std::mutex reloading_;            // one reload at a time
    bool isImpaired_ = false;
    const std::shared_ptr<Events> events_;
    SecretStore store_;
    SingleRunner runner_;
};

} // namespace keyhold
