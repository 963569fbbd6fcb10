// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/entries.h"

#include "remote/error_report.h"
#include "secret_driver/driver_state.h"

/// The entries of the hypervisor table: opening and closing `secret:///` connections.
namespace keyhold {

namespace {

extern "C" {

int connectOpen(virConnectPtr connection, virConnectAuthPtr, void *, unsigned int flags) {
    constexpr int kOpened = 0;
    constexpr int kError = -2; // -1 would make libvirt try other drivers and lose the reason
    return guard(kError, [&] {
        requireFlags(flags, VIR_CONNECT_RO, "secretConnectOpen");
        DriverState::get().openConnection(connection);
        return kOpened;
    });
}

int connectClose(virConnectPtr connection) {
    return guard(0, [&] {
        DriverState::get().closeConnection(connection);
        return 0;
    });
}

// A connection never leaves the process; libvirt's remote driver answers for the wire.
int connectIsSecure(virConnectPtr) {
    return 1;
}
int connectIsEncrypted(virConnectPtr) {
    return 0;
}
int connectIsAlive(virConnectPtr) {
    return 1;
}

} // extern "C"

template <typename Function>
void *slotOf(Function *function) {
    return reinterpret_cast<void *>(function);
}

} // namespace

abi::HypervisorDriver &connectionTable(const abi::HypervisorSlots &slots) {
    static abi::HypervisorDriver table{};
    table.slot[slots.name] = const_cast<char *>("secret");
    table.slot[slots.connectOpen] = slotOf(connectOpen);
    table.slot[slots.connectClose] = slotOf(connectClose);
    table.slot[slots.connectIsEncrypted] = slotOf(connectIsEncrypted);
    table.slot[slots.connectIsSecure] = slotOf(connectIsSecure);
    table.slot[slots.connectIsAlive] = slotOf(connectIsAlive);
    return table;
}

} // namespace keyhold
