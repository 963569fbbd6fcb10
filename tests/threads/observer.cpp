// SPDX-License-Identifier: LGPL-2.1-or-later
#include "threads/observer.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <stdexcept>

namespace keyhold {

namespace {

std::string prefixOf(unsigned number) {
    char text[8];
    std::snprintf(text, sizeof text, "%02x ", number & 0xff);
    return text;
}

Observer &observerOf(void *opaque) {
    return *static_cast<Observer *>(opaque);
}

} // namespace

void Observer::watch(virConnectPtr connection, virSecretPtr secret) {
    connection_ = connection;
    lifecycleId_ =
        virConnectSecretEventRegisterAny(connection, secret, VIR_SECRET_EVENT_ID_LIFECYCLE,
                                         VIR_SECRET_EVENT_CALLBACK(onLifecycle), this, onRelease);
    if (lifecycleId_ < 0)
        throw std::runtime_error(client::describeError());
    valueId_ = virConnectSecretEventRegisterAny(
        connection, secret, VIR_SECRET_EVENT_ID_VALUE_CHANGED,
        VIR_SECRET_EVENT_CALLBACK(onValueChanged), this, onRelease);
    if (valueId_ < 0)
        throw std::runtime_error(client::describeError());
}

void Observer::unwatch() {
    if (virConnectSecretEventDeregisterAny(connection_, lifecycleId_) < 0 ||
        virConnectSecretEventDeregisterAny(connection_, valueId_) < 0)
        throw std::runtime_error(client::describeError());
}

void Observer::onLifecycle(virConnectPtr connection, virSecretPtr secret, int event, int,
                           void *opaque) {
    if (event == VIR_SECRET_EVENT_DEFINED)
        observerOf(opaque).note(connection, secret, "defined", false, true);
    else
        observerOf(opaque).note(connection, secret, "undefined", true, false);
}

void Observer::onValueChanged(virConnectPtr connection, virSecretPtr secret, void *opaque) {
    observerOf(opaque).note(connection, secret, "value", true, true);
}

void Observer::onRelease(void *opaque) {
    Observer &self = observerOf(opaque);
    const std::lock_guard lock(self.mutex_);
    ++self.released_;
}

void Observer::note(virConnectPtr connection, virSecretPtr secret, const char *what,
                    bool needsPresence, bool isPresentAfter) {
    const unsigned number = client::numberOf(secret);
    const Line line = prefixOf(number) + what;
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
    bool &isPresent = present_[number];
    if (connection != connection_)
        nonsense_.push_back(line + " on another connection");
    if (needsPresence && !isPresent)
        nonsense_.push_back(line + " of a secret that is not there");
    isPresent = isPresentAfter;
}

std::vector<Observer::Line> Observer::lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
}

std::vector<Observer::Line> Observer::linesOf(unsigned number) const {
    const std::lock_guard lock(mutex_);
    std::vector<Line> out;
    std::ranges::copy_if(lines_, std::back_inserter(out),
                         [&](const Line &line) { return line.starts_with(prefixOf(number)); });
    return out;
}

std::map<unsigned, bool> Observer::lastSeen() const {
    const std::lock_guard lock(mutex_);
    return present_;
}

std::vector<Observer::Line> Observer::nonsense() const {
    const std::lock_guard lock(mutex_);
    return nonsense_;
}

int Observer::released() const {
    const std::lock_guard lock(mutex_);
    return released_;
}

void Observer::expectPresent(unsigned number) {
    const std::lock_guard lock(mutex_);
    present_[number] = true;
}

} // namespace keyhold
