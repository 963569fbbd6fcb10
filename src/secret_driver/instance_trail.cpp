// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/instance_trail.h"

#include "host/audit_options.h"
#include "secret_driver/libvirt_admin_log.h"

#include <utility>

namespace keyhold {

void InstanceTrail::with(
    const std::function<void(const std::shared_ptr<audit::Trail> &)> &use) const {
    const ReaderLock lock(mutex_);
    use(trail_);
}

void InstanceTrail::follow(const Settings &settings, const InstancePaths &paths) {
    auto options = auditOptions(settings, paths);
    const WriterLock lock(mutex_);
    if (trail_ && options && trail_->options().isSameTrail(*options)) {
        trail_->setPolicy(options->isSynced, options->onFailure);
        trail_->reopen();
        trail_->note(audit::ofDriver(audit::Action::reloaded));
        return;
    }
    endCurrent(); // it may have the file that the next one is to have
    std::shared_ptr<audit::Trail> next;
    if (options) {
        next = std::make_shared<audit::Trail>(posixFileSystem(), *std::move(options),
                                              libvirtAdminLog());
        next->note(audit::ofDriver(audit::Action::started));
    }
    isRecorded_ = next != nullptr;
    trail_ = std::move(next);
}

void InstanceTrail::endCurrent() noexcept {
    if (!trail_)
        return;
    trail_->note(audit::ofDriver(audit::Action::stopped));
    trail_->stop();
}

void InstanceTrail::end() noexcept {
    const WriterLock lock(mutex_);
    endCurrent();
}

} // namespace keyhold
