// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/session_daemon.h"

#include "client/connection.h"
#include "client/private_function.h"

#include <cstdlib>

namespace keyhold::bench {

namespace {

// Signatures of libvirt 9.0.0 (src/driver.h, src/libvirt_internal.h,
// src/access/viraccessmanager.h).
using LoadModule = int(const char *name, const char *registerFunction, bool isRequired);
using InhibitCallback = void(bool inhibit, void *opaque);
using StateInitialize = int(bool isPrivileged, bool isMandatory, const char *root,
                            bool isMonolithic, InhibitCallback *callback, void *opaque);
using StateReload = int();
using NewAccessManager = void *(const char *name);
using SetAccessManager = void(void *manager);

void require(bool isDone, const char *what) {
    if (!isDone)
        fail(what);
}

} // namespace

void becomeSessionDaemon(const std::string &directory) {
    setenv("XDG_CONFIG_HOME", (directory + "/config").c_str(), 1);
    setenv("XDG_RUNTIME_DIR", (directory + "/run").c_str(), 1);
    require(virInitialize() == 0, "initialize libvirt");
    void *const manager = privateFunction<NewAccessManager>("virAccessManagerNew")("none");
    require(manager != nullptr, "make an access manager");
    privateFunction<SetAccessManager>("virAccessManagerSetDefault")(manager);
    require(privateFunction<LoadModule>("virDriverLoadModule")("secret", "secretRegister", true) ==
                0,
            "load the module");
    require(privateFunction<StateInitialize>("virStateInitialize")(
                false, false, nullptr, false, [](bool, void *) {}, nullptr) == 0,
            "start the driver");
}

void reloadDrivers() {
    require(privateFunction<StateReload>("virStateReload")() == 0, "reload");
}

} // namespace keyhold::bench
