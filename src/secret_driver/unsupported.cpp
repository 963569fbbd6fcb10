// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/unsupported.h"

#include "abi/libvirt_error.h"
#include "abi/libvirt_log.h"
#include "abi/symbols.h"

#include <libvirt/virterror.h>

namespace keyhold {

namespace {

const std::string *unsupportedReason = nullptr; // never destroyed

extern "C" int refuseOpen(virConnectPtr, virConnectAuthPtr, void *, unsigned int) {
    constexpr int kError = -2;
    abi::raiseError(VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, unsupportedReason->c_str());
    return kError;
}

} // namespace

void registerUnsupported(const abi::HypervisorSlots &slots, const std::string &reason) {
    static const char *schemes[] = {"secret", nullptr};
    static abi::HypervisorDriver connections{};
    static abi::ConnectDriver driver{};

    unsupportedReason = new std::string(reason);
    abi::log(abi::LogPriority::error, reason.c_str());

    connections.slot[slots.name] = const_cast<char *>("secret");
    connections.slot[slots.connectOpen] = reinterpret_cast<void *>(refuseOpen);
    driver.localOnly = true;
    driver.embeddable = true;
    driver.uriSchemes = schemes;
    driver.hypervisorDriver = &connections;
    if (abi::symbols().virRegisterConnectDriver)
        abi::symbols().virRegisterConnectDriver(&driver, false);
}

} // namespace keyhold
