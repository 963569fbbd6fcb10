// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/trail.h"
#include "conf/settings.h"
#include "host/instance_paths.h"
#include "os/shared_mutex.h"

#include <atomic>
#include <functional>
#include <memory>

namespace keyhold {

/// The audit trail of an instance, which comes and goes with its settings.
class InstanceTrail {
  public:
    InstanceTrail() = default;
    /// As end(), without the lock: in a forked child another thread may have had it.
    ~InstanceTrail() { endCurrent(); }
    InstanceTrail(const InstanceTrail &) = delete;
    InstanceTrail &operator=(const InstanceTrail &) = delete;

    [[nodiscard]] bool isRecorded() const noexcept { return isRecorded_; }
    /// Calls `use` with the trail of now, which does not end in the meantime unless the instance
    /// does; null if calls are no longer recorded.
    void with(const std::function<void(const std::shared_ptr<audit::Trail> &)> &use) const;
    /// Begins or ends the trail, or goes on with it, as the settings of now have it; waits for
    /// records that are on their way, and calls that come at the same time wait.
    void follow(const Settings &settings, const InstancePaths &paths);
    /// Records the end, and waits for what is on its way, within audit::Trail::kPatience. Calls
    /// that come later cannot be recorded, and are refused as the settings have it.
    void end() noexcept;

  private:
    void endCurrent() noexcept REQUIRES(mutex_);

    std::atomic<bool> isRecorded_{false};
    mutable SharedMutex mutex_;
    std::shared_ptr<audit::Trail> trail_ GUARDED_BY(mutex_);
};

} // namespace keyhold
