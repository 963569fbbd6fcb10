// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <thread>

namespace keyhold {

/// libvirt's default event loop, on a thread of its own until destroyed. One a process; it must be
/// there before a connection is opened in embedded mode.
class EventLoop {
  public:
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop &) = delete;
    EventLoop &operator=(const EventLoop &) = delete;

    /// Returns once the events that were queued before this call have been delivered.
    static void reconcile();

  private:
    std::atomic<bool> isStopping_{false};
    std::thread thread_;
};

} // namespace keyhold
