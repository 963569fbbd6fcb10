// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/events.h"

#include "abi/symbols.h"
#include "remote/error_report.h"

namespace keyhold {

namespace {

int hostType(const Usage &usage) {
    return static_cast<int>(usage.type);
}

abi::Event *lifecycleEvent(const Uuid &uuid, const Usage &usage, int type) {
    return abi::symbols().virSecretEventLifecycleNew(uuid.bytes().data(), hostType(usage),
                                                     usage.id.c_str(), type, 0);
}

} // namespace

Events::Events() : state_(abi::symbols().virObjectEventStateNew()) {
    if (!state_)
        throw Error(ErrorCode::noMemory, "");
}

Events::~Events() {
    abi::symbols().virObjectUnref(state_);
}

void Events::defined(const Uuid &uuid, const Usage &usage) {
    queue(lifecycleEvent(uuid, usage, VIR_SECRET_EVENT_DEFINED));
}

void Events::undefined(const Uuid &uuid, const Usage &usage) {
    queue(lifecycleEvent(uuid, usage, VIR_SECRET_EVENT_UNDEFINED));
}

void Events::valueChanged(const Uuid &uuid, const Usage &usage) {
    queue(abi::symbols().virSecretEventValueChangedNew(uuid.bytes().data(), hostType(usage),
                                                       usage.id.c_str()));
}

void Events::queue(abi::Event *event) {
    abi::symbols().virObjectEventStateQueue(state_, event);
}

int Events::add(virConnectPtr connection, virSecretPtr secret, int eventId,
                virConnectSecretEventGenericCallback callback, void *opaque,
                virFreeCallback freeCallback) {
    int callbackId = -1;
    if (abi::symbols().virSecretEventStateRegisterID(connection, state_, secret, eventId, callback,
                                                     opaque, freeCallback, &callbackId) < 0)
        throw ErrorAlreadyRaised();
    const std::lock_guard lock(mutex_);
    registrations_.emplace(connection, callbackId);
    return callbackId;
}

void Events::remove(virConnectPtr connection, int callbackId) {
    if (abi::symbols().virObjectEventStateDeregisterID(connection, state_, callbackId, true) < 0)
        throw ErrorAlreadyRaised();
    const std::lock_guard lock(mutex_);
    registrations_.erase({connection, callbackId});
}

bool Events::has(virConnectPtr connection, int callbackId) const {
    const std::lock_guard lock(mutex_);
    return registrations_.contains({connection, callbackId});
}

} // namespace keyhold
