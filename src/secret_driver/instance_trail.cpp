// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/instance_trail.h"

#include "host/audit_options.h"
#include "secret_driver/libvirt_admin_log.h"

#include <utility>

namespace keyhold {

std::shared_ptr<audit::Trail> InstanceTrail::taken() const {
    const MutexLock lock(mutex_);
    return trail_;
}

void InstanceTrail::set(std::shared_ptr<audit::Trail> trail) noexcept {
    const MutexLock lock(mutex_);
    isRecorded_ = trail != nullptr;
    trail_.swap(trail);
}

void InstanceTrail::follow(const Settings &settings, const InstancePaths &paths) {
    auto options = auditOptions(settings, paths);
    const auto former = taken();
    if (former && options && former->options().isSameTrail(*options)) {
        former->reopen();
        former->note(audit::ofDriver(audit::Action::reloaded));
        return;
    }
    end(); // it may have the file that the next one is to have
    if (!options)
        return;
    auto next =
        std::make_shared<audit::Trail>(posixFileSystem(), *std::move(options), libvirtAdminLog());
    next->note(audit::ofDriver(audit::Action::started));
    set(std::move(next));
}

void InstanceTrail::end() noexcept {
    const auto former = taken();
    if (!former)
        return;
    former->note(audit::ofDriver(audit::Action::stopped));
    former->stop();
    set(nullptr);
}

} // namespace keyhold
