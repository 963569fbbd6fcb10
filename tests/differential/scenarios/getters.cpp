// SPDX-License-Identifier: LGPL-2.1-or-later
// What a connection says about itself, and what it does not support.
#include "phase.h"

#include <cstdlib>

#include <dlfcn.h>

namespace keyhold {

namespace {

void noteAndFree(Phase &phase, const std::string &key, char *(*getter)(virConnectPtr)) {
    std::free(phase.attempt(key, [&] { return getter(phase.connection()); }));
}

void connection(Phase &phase) {
    phase.open();
    virConnectPtr connection = phase.connection();
    noteAndFree(phase, "uri", virConnectGetURI);
    phase.attempt("type", [&] { return virConnectGetType(connection); });
    phase.attempt("alive", [&] { return virConnectIsAlive(connection); });
    phase.attempt("secure", [&] { return virConnectIsSecure(connection); });
    phase.attempt("encrypted", [&] { return virConnectIsEncrypted(connection); });
    unsigned long version = 0;
    phase.attempt("library version", [&] { return virConnectGetLibVersion(connection, &version); });
    phase.note("library version is", std::to_string(version));
    // Not part of the public API, but drivers are asked through it.
    using SupportsFeature = int (*)(virConnectPtr, int);
    auto supportsFeature =
        reinterpret_cast<SupportsFeature>(dlsym(RTLD_DEFAULT, "virConnectSupportsFeature"));
    if (!supportsFeature) {
        phase.note("features", "libvirt has no virConnectSupportsFeature");
        return;
    }
    for (int feature = 0; feature <= 20; feature++) {
        phase.attempt("feature " + std::to_string(feature),
                      [&] { return supportsFeature(connection, feature); });
    }
}

void unsupported(Phase &phase) {
    phase.open();
    virConnectPtr connection = phase.connection();
    unsigned long version = 0;
    virNodeInfo node;
    phase.attempt("GetVersion", [&] { return virConnectGetVersion(connection, &version); });
    noteAndFree(phase, "GetHostname", virConnectGetHostname);
    noteAndFree(phase, "GetCapabilities", virConnectGetCapabilities);
    std::free(phase.attempt("GetSysinfo", [&] { return virConnectGetSysinfo(connection, 0); }));
    phase.attempt("GetMaxVcpus", [&] { return virConnectGetMaxVcpus(connection, nullptr); });
    phase.attempt("NodeGetInfo", [&] { return virNodeGetInfo(connection, &node); });
    phase.attempt("NumOfDomains", [&] { return virConnectNumOfDomains(connection); });
    phase.attempt("NumOfNetworks", [&] { return virConnectNumOfNetworks(connection); });
    phase.attempt("NumOfStoragePools", [&] { return virConnectNumOfStoragePools(connection); });
    phase.attempt("NumOfInterfaces", [&] { return virConnectNumOfInterfaces(connection); });
    phase.attempt("NumOfNWFilters", [&] { return virConnectNumOfNWFilters(connection); });
    phase.attempt("NumOfNodeDevices", [&] { return virNodeNumOfDevices(connection, nullptr, 0); });
    phase.attempt("SetIdentity", [&] { return virConnectSetIdentity(connection, nullptr, 0, 0); });
    phase.attempt("SetKeepAlive", [&] { return virConnectSetKeepAlive(connection, 5, 3); });
    phase.attempt("DomainEventRegisterAny", [&] {
        return virConnectDomainEventRegisterAny(
            connection, nullptr, VIR_DOMAIN_EVENT_ID_REBOOT,
            [](virConnectPtr, virDomainPtr, void *) {}, nullptr, nullptr);
    });
    phase.attempt("RegisterCloseCallback", [&] {
        return virConnectRegisterCloseCallback(
            connection, [](virConnectPtr, int, void *) {}, nullptr, nullptr);
    });
}

} // namespace

std::vector<Scenario> getterScenarios() {
    return {{"getters.connection", {connection}}, {"getters.unsupported", {unsupported}}};
}

} // namespace keyhold
