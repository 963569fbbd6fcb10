// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "abi/tables.h"
#include "conf/usage.h"
#include "conf/uuid.h"

namespace keyhold {

/// The events of one instance for its watchers. libvirt keeps the callbacks, filters by secret and
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

    /// Registers a callback of `connection`, for one secret or for all (`secret` null). Returns an
    /// id that no other registration of this connection has, be it with other Events: libvirt
    /// counts from 0 in each. Raises ErrorAlreadyRaised or std::bad_alloc, and then nothing is
    /// registered. libvirt owns `opaque` from then on.
    [[nodiscard]] int add(virConnectPtr connection, virSecretPtr secret, int eventId,
                          virConnectSecretEventGenericCallback callback, void *opaque,
                          virFreeCallback freeCallback);
    /// Raises ErrorAlreadyRaised or invalidArgument if the connection has no callback of that id
    /// here.
    void remove(virConnectPtr connection, int callbackId);
    [[nodiscard]] bool has(virConnectPtr connection, int callbackId) const;

  private:
    void queue(abi::Event *event);

    abi::EventState *state_;
};

} // namespace keyhold
