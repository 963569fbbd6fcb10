// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "threads/client.h"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace keyhold {

/// Watches the secrets of one connection, or one of them, and checks that what it gets makes
/// sense: nothing is undefined or gets a value that was not defined before. Outlives its
/// registration.
class Observer {
  public:
    /// What each event says, e.g. "07 defined".
    using Line = std::string;

    Observer() = default;
    Observer(const Observer &) = delete;
    Observer &operator=(const Observer &) = delete;

    /// Registers for lifecycle and value-changed events, of `secret` only if it is not null.
    void watch(virConnectPtr connection, virSecretPtr secret = nullptr);
    /// The connection must still be open.
    void unwatch();

    [[nodiscard]] std::vector<Line> lines() const;
    [[nodiscard]] std::vector<Line> linesOf(unsigned number) const;
    /// Whether the last lifecycle event of each secret ever mentioned said that it is there.
    [[nodiscard]] std::map<unsigned, bool> lastSeen() const;
    /// Events that cannot follow the ones before them, or came on another connection.
    [[nodiscard]] std::vector<Line> nonsense() const;
    /// How many of the two registrations libvirt has given back.
    [[nodiscard]] int released() const;

    /// Secrets that were there when the watch began.
    void expectPresent(unsigned number);

  private:
    static void onLifecycle(virConnectPtr connection, virSecretPtr secret, int event, int detail,
                            void *opaque);
    static void onValueChanged(virConnectPtr connection, virSecretPtr secret, void *opaque);
    static void onRelease(void *opaque);
    void note(virConnectPtr connection, virSecretPtr secret, const char *what, bool needsPresence,
              bool isPresentAfter);

    virConnectPtr connection_ = nullptr;
    int lifecycleId_ = -1;
    int valueId_ = -1;
    mutable std::mutex mutex_; // of all below
    std::vector<Line> lines_;
    std::vector<Line> nonsense_;
    std::map<unsigned, bool> present_;
    int released_ = 0;
};

} // namespace keyhold
