// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "abi/tables.h"
#include "secret_driver/single_runner.h"

#include <functional>

namespace keyhold {

/// Keeps a daemon from exiting when idle while a condition holds. libvirtd counts the calls of its
/// callback, so each hold is matched by exactly one release.
class Inhibitor {
  public:
    /// A null callback is normal: embedding processes have none.
    Inhibitor(abi::InhibitCallback callback, void *opaque) : callback_(callback), opaque_(opaque) {}

    /// Makes libvirt's state follow `isWanted()`, which is asked with no lock held.
    void follow(const std::function<bool()> &isWanted) {
        if (!callback_)
            return;
        runner_.request([&] {
            const bool wanted = isWanted();
            if (wanted == isHeld_)
                return;
            isHeld_ = wanted;
            callback_(wanted, opaque_);
        });
    }

  private:
    abi::InhibitCallback callback_;
    void *opaque_;
    SingleRunner runner_;
    bool isHeld_ = false; // only touched by the running thread
};

} // namespace keyhold
