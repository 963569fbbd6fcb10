// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/entries.h"

#include "remote/error_report.h"
#include "secret_driver/driver_state.h"

/// The entries of the state table: start, reload and stop of the driver in its process.
namespace keyhold {

namespace {

constexpr int kInitError = -1; // virDrvStateInitResult of libvirt; ends libvirtd
constexpr int kInitComplete = 1;

extern "C" {

int stateInitialize(bool privileged, const char *root, bool, abi::InhibitCallback callback,
                    void *opaque) {
    return guard(kInitError, [&] {
        const auto started =
            DriverState::get().start(privileged, root != nullptr, callback, opaque);
        return started == DriverState::Started::complete ? kInitComplete : kInitError;
    });
}

int stateCleanup() {
    return guard(-1, [] {
        DriverState::get().stop();
        return 0;
    });
}

int stateReload() {
    return guard(-1, [] {
        DriverState::get().reload();
        return 0;
    });
}

} // extern "C"

} // namespace

abi::StateDriver &stateDriverTable() {
    static abi::StateDriver table{"secret",    false,   stateInitialize, stateCleanup,
                                  stateReload, nullptr, nullptr,         nullptr};
    return table;
}

} // namespace keyhold
