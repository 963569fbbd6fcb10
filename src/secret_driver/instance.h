// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/mutex.h"
#include "host/driver_report.h"
#include "host/instance_paths.h"
#include "os/directory_lock.h"
#include "os/rate_limited.h"
#include "os/store_directory.h"
#include "os/store_lock.h"
#include "remote/events.h"
#include "seal/sealing_policy.h"
#include "secret_driver/inhibitor.h"
#include "secret_driver/instance_trail.h"
#include "store/degraded_backend.h"
#include "store/reencryption_thread.h"
#include "store/secret_store.h"

#include <atomic>
#include <chrono>
#include <memory>

namespace keyhold {

/// One store of secrets at work: its files, its locks against other processes, its live set and its
/// watchers. Released with its last reference, on whichever thread that goes.
class Instance {
  public:
    /// Makes the directories that are missing and opens the one with the secrets. Raises
    /// systemCall.
    [[nodiscard]] static std::unique_ptr<StoreDirectory> openDirectory(const InstancePaths &paths);

    /// An instance that has everything it needs, or raises; LockedError if another process has the
    /// directory. `lock` and `directory` belong to `paths`; `events` outlives it. Values under an
    /// earlier key are re-encrypted before this returns.
    Instance(InstancePaths paths, std::unique_ptr<StoreLock> lock,
             std::unique_ptr<StoreDirectory> directory, Inhibitor &inhibitor,
             std::shared_ptr<Events> events);
    /// An instance for a daemon that must start whatever is wrong with its store: what is
    /// unavailable goes to the log, and calls that need it raise the reason. Raises only if another
    /// process holds the lock in the state directory, and that is not our own command. Where that
    /// is, or another process has the directory, it reads, and refuses changes until reload() or
    /// prepareChange() gets the locks. A thread of its own re-encrypts values under an earlier key.
    Instance(const InstancePaths &paths, Inhibitor &inhibitor);

    [[nodiscard]] SecretStore &store() noexcept { return store_; }
    [[nodiscard]] const InstanceTrail &trail() const noexcept { return trail_; }
    [[nodiscard]] const std::shared_ptr<Events> &events() const noexcept { return events_; }

    /// Takes over what secret.conf, the keys and the files say now, and notifies watchers. Values
    /// that are to be re-encrypted are left to the thread of the start. Not for embedded instances.
    void reload();
    /// Call before each change, without any lock held: tries to get the locks if others had them.
    void prepareChange();
    /// Call when the daemon ends: ends the re-encryption after the value in hand, and other work of
    /// threads of ours, and waits for that; the next start goes on. Reports to the log how many
    /// secrets were in memory alone.
    void end() noexcept;
    /// Notifies watchers, libvirt and `keyhold` of what has changed. Call after each change,
    /// without any lock held. A report of an embedded instance says what it opened, for it has no
    /// thread to write another.
    void announce() noexcept;

  private:
    enum class Opening { start, again };
    /// Notes in `isDegraded_`, `isRefused_` and `failure_` what is missing.
    [[nodiscard]] std::shared_ptr<Backend> openBackend(std::chrono::milliseconds patience,
                                                       Opening opening) REQUIRES(reloading_);
    /// Raises LockedError at a start if another process than our command has it.
    void takeLock(std::chrono::milliseconds patience, Opening opening) REQUIRES(reloading_);
    void takeBackend(std::shared_ptr<Backend> backend) REQUIRES(reloading_);
    void tellLoaded();
    void sendEvents();
    /// Reads secret.conf and the keys again.
    void readKeys() REQUIRES(reloading_);
    void takeOver();
    /// Has the report written soon, on a thread of its own.
    void reportSoon() noexcept;
    void writeReport() noexcept;
    [[nodiscard]] DriverReport describe();

    const bool isDaemon_;
    const InstancePaths paths_;
    Inhibitor &inhibitor_;
    Mutex reloading_; // one reload at a time
    FileStatus directoryStatus_ GUARDED_BY(reloading_);
    DriverReport::Settings settingsRead_ GUARDED_BY(reloading_);
    std::int64_t settingsReadAt_ GUARDED_BY(reloading_) = 0;
    // These two outlive what they protect.
    std::unique_ptr<StoreLock> lock_ GUARDED_BY(reloading_);
    std::unique_ptr<DirectoryLock> directoryLock_ GUARDED_BY(reloading_);
    // Only a daemon can be degraded.
    bool isDegraded_ GUARDED_BY(reloading_) = false;
    bool isRefused_ GUARDED_BY(reloading_) = false; // a lock, which another process has
    std::atomic<bool> isLockedOut_{false};          // changes are refused for that alone
    std::shared_ptr<CurrentFailure> failure_ GUARDED_BY(reloading_);
    InstanceTrail trail_;
    const std::shared_ptr<CurrentPolicy> policy_ = std::make_shared<CurrentPolicy>();
    const std::shared_ptr<Events> events_;
    SecretStore store_;
    SingleRunner runner_;
    DriverReportFile reportFile_;
    RateLimited reporting_;
    ReencryptionThread reencryption_; // ends before the rest goes
};

} // namespace keyhold
