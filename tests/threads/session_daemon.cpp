// SPDX-License-Identifier: LGPL-2.1-or-later
#include "threads/session_daemon.h"

#include "threads/client.h"

#include <atomic>
#include <cstdlib>
#include <dlfcn.h>
#include <stdexcept>

namespace keyhold {

namespace {

// Signatures of libvirt 9.0.0 (src/driver.h, src/libvirt_internal.h,
// src/access/viraccessmanager.h).
using LoadModule = int(const char *name, const char *registerFunction, bool isRequired);
using InhibitCallback = void(bool inhibit, void *opaque);
using StateInitialize = int(bool isPrivileged, bool isMandatory, const char *root,
                            bool isMonolithic, InhibitCallback *callback, void *opaque);
using StateFunction = int();
using NewAccessManager = void *(const char *name);
using SetAccessManager = void(void *manager);

std::atomic<int> holdCount{0};
std::atomic<bool> isMiscounted{false};
std::atomic<bool> isStopped{false};

void onInhibit(bool inhibit, void *) {
    const int count = inhibit ? ++holdCount : --holdCount;
    if (count != 0 && count != 1)
        isMiscounted = true;
}

template <typename Function>
Function *hostFunction(const char *name) {
    void *const library = dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD);
    void *const address = library ? dlsym(library, name) : nullptr;
    if (!address)
        throw std::runtime_error(std::string("libvirt has no ") + name);
    return reinterpret_cast<Function *>(address);
}

void require(bool isTrue) {
    if (!isTrue)
        throw std::runtime_error(client::describeError());
}

} // namespace

SessionDaemon::SessionDaemon(const std::string &directory)
    : secretsDirectory_(directory + "/config/libvirt/secrets") {
    setenv("XDG_CONFIG_HOME", (directory + "/config").c_str(), 1);
    setenv("XDG_RUNTIME_DIR", (directory + "/run").c_str(), 1);
    require(virInitialize() == 0);
    void *const manager = hostFunction<NewAccessManager>("virAccessManagerNew")("none");
    require(manager != nullptr);
    hostFunction<SetAccessManager>("virAccessManagerSetDefault")(manager);
    require(hostFunction<LoadModule>("virDriverLoadModule")("secret", "secretRegister", true) == 0);
    require(hostFunction<StateInitialize>("virStateInitialize")(false, false, nullptr, false,
                                                                onInhibit, nullptr) == 0);
}

SessionDaemon::~SessionDaemon() {
    if (!isStopped)
        hostFunction<StateFunction>("virStateCleanup")();
}

void SessionDaemon::reload() {
    require(hostFunction<StateFunction>("virStateReload")() == 0);
}

void SessionDaemon::stop() {
    isStopped = true;
    require(hostFunction<StateFunction>("virStateCleanup")() == 0);
}

int SessionDaemon::inhibitions() {
    return holdCount;
}

bool SessionDaemon::wasMiscounted() {
    return isMiscounted;
}

} // namespace keyhold
