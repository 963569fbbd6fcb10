// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "abi/tables.h"
#include "conf/mutex.h"
#include "seal/process_mark.h"
#include "secret_driver/embedded_roots.h"
#include "secret_driver/inhibitor.h"
#include "secret_driver/instance.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <optional>
#include <vector>

namespace keyhold {

/// The state all connections of the process share. What the process is, a daemon with one instance
/// or a program with embedded ones, is fixed once by stateInitialize; no URI can change it.
class DriverState {
  public:
    /// Made at first use, never destroyed: the process may exit while threads are in calls.
    [[nodiscard]] static DriverState &get();

    /// libvirt's stateInitialize: a root means an embedding process. Raises LockedError if another
    /// live process holds the lock of this daemon's store, and whatever fails in an embedding
    /// process; a daemon starts without the rest.
    void start(bool isPrivileged, bool isEmbedded, abi::InhibitCallback callback, void *opaque);
    /// libvirt's stateReload (SIGHUP). Raises notActive.
    void reload();
    /// libvirt's stateCleanup: from now on every call raises notActive. Raises notActive if it was.
    void stop();

    /// What connectOpen does, after which closeConnection() must follow once.
    void openConnection(virConnectPtr connection);
    void closeConnection(virConnectPtr connection);

    /// The instance that serves a call on `connection`, ours or another driver's, and a reference
    /// unless the connection keeps it. Raises notActive or internal.
    [[nodiscard]] std::shared_ptr<Instance> instanceOf(virConnectPtr connection);

    /// Where `connection` may have registered for events, most likely first; embedded roots that
    /// are not open any more are among them. Raises notActive.
    [[nodiscard]] std::vector<std::shared_ptr<Events>> watchedBy(virConnectPtr connection);

    /// What distinguishes our connections from those of other drivers.
    void setConnectionTable(const abi::HypervisorDriver *table) noexcept { table_ = table; }

  private:
    enum class Mode { unset, daemon, embedded, stopped };

    struct Snapshot {
        Mode mode;
        bool isPrivileged;
        std::shared_ptr<Instance> daemon;
        EmbeddedRoots *roots;
    };
    [[nodiscard]] Snapshot snapshot();
    /// Raises internal in a process forked from the one that started the driver: it has a copy of
    /// everything but neither the locks nor the key.
    void requireOwnProcess() const;
    /// As snapshot(), waiting for a stateInitialize that is still on its way on another thread.
    [[nodiscard]] Snapshot startedSnapshot();
    void openEmbedded(virConnectPtr connection, EmbeddedRoots &roots);

    const abi::HypervisorDriver *table_ = nullptr;
    ProcessMark process_;
    std::atomic<Mode> mode_{Mode::unset}; // changed under the mutex
    Mutex mutex_;
    std::condition_variable started_;
    bool isPrivileged_ GUARDED_BY(mutex_) = false;
    std::shared_ptr<Instance> daemon_ GUARDED_BY(mutex_);
    std::optional<Inhibitor> inhibitor_ GUARDED_BY(mutex_);
    std::optional<EmbeddedRoots> roots_ GUARDED_BY(mutex_);
};

} // namespace keyhold
