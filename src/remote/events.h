// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "abi/tables.h"
#include "conf/usage.h"
#include "conf/uuid.h"

#include <mutex>
#include <set>
#include <utility>

namespace keyhold {

/// What the watchers of one instance are told. libvirt keeps the callbacks, filters by secret and
/// delivers from the process's event loop. Call without any lock held.
class Events {
  public:
    /// Raises noMemory.
    Events();
    ~Events();
    Events(const Events &) = delete;
    Events &operator=(const Events &) = delete;

    /// Queues one event each; an event that cannot be made for want of memory is dropped.
    void defined(const Uuid &uuid, const Usage &usage);
    void valueChanged(const Uuid &uuid, const Usage &usage);
    void undefined(const Uuid &uuid, const Usage &usage);

    /// Registers a callback of `connection`, for one secret or for all (`secret` null). Returns
    /// the id; raises ErrorAlreadyRaised. libvirt owns `opaque` from then on.
    [[nodiscard]] int add(virConnectPtr connection, virSecretPtr secret, int eventId,
                          virConnectSecretEventGenericCallback callback, void *opaque,
                          virFreeCallback freeCallback);
    /// Raises ErrorAlreadyRaised if the connection has no callback of that id.
    void remove(virConnectPtr connection, int callbackId);
    [[nodiscard]] bool has(virConnectPtr connection, int callbackId) const;

  private:
    void queue(abi::Event *event);

    using Registration = std::pair<virConnectPtr, int>;

    abi::EventState *state_;
    mutable std::mutex mutex_; // of registrations_
    std::set<Registration> registrations_;
};

} // namespace keyhold
