// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/trail.h"
#include "conf/mutex.h"
#include "conf/settings.h"
#include "host/instance_paths.h"

#include <atomic>
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

    /// Null if calls are not recorded.
    [[nodiscard]] std::shared_ptr<audit::Trail> current() const {
        return isRecorded_ ? taken() : nullptr;
    }
    /// Begins or ends the trail, or goes on with it, as the settings of now have it; calls that
    /// come at the same time wait.
    void follow(const Settings &settings, const InstancePaths &paths);
    /// Records the end, and waits for what is on its way, within audit::Trail::kPatience. Calls
    /// that come later cannot be recorded, and are refused as the settings have it.
    void end() noexcept;

  private:
    [[nodiscard]] std::shared_ptr<audit::Trail> taken() const;
    void endCurrent() noexcept REQUIRES(mutex_);

    std::atomic<bool> isRecorded_{false};
    mutable Mutex mutex_;
    std::shared_ptr<audit::Trail> trail_ GUARDED_BY(mutex_);
};

} // namespace keyhold
