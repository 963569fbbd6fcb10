// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold {

/// As long as it lives and until it is opened, every fsync of this process waits, but for those of
/// the thread that made it: a disk that takes its time. One at a time. The program has its fsync
/// from sync_gate.cpp.
class SyncGate {
  public:
    SyncGate();
    ~SyncGate() { open(); }
    SyncGate(const SyncGate &) = delete;
    SyncGate &operator=(const SyncGate &) = delete;

    /// Returns when some thread waits.
    static void awaitArrival();
    static void open();
};

} // namespace keyhold
