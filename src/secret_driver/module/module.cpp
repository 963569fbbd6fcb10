// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/libvirt_error.h"
#include "abi/libvirt_log.h"
#include "abi/release.h"
#include "abi/symbols.h"
#include "secret_driver/driver_state.h"
#include "secret_driver/entries.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <mutex>
#include <string>

/// What libvirt finds when it loads the module: the one exported function, and the registration of
/// the tables.
namespace keyhold {

namespace {

std::string releaseText(unsigned long release) {
    return std::to_string(release / 1'000'000) + "." + std::to_string(release / 1'000 % 1'000) +
           "." + std::to_string(release % 1'000);
}

// Empty if this libvirt can be served.
std::string reasonAgainst(unsigned long release, const char *missing) {
    const std::string subject = "Keyhold: this libvirt (" + releaseText(release) + ") ";
    const std::string remedy = "; install the secret driver that came with it";
    if (release < abi::kOldestRelease)
        return subject + "is older than " + releaseText(abi::kOldestRelease) + remedy;
    if (*missing != '\0')
        return subject + "lacks the private symbol " + inQuotes(missing) + remedy;
    return {};
}

abi::ConnectDriver &connectDriver(abi::HypervisorDriver &connections) {
    static const char *schemes[] = {"secret", nullptr};
    static abi::ConnectDriver driver{};
    driver.localOnly = true;
    driver.embeddable = true;
    driver.uriSchemes = schemes;
    driver.hypervisorDriver = &connections;
    return driver;
}

const std::string *unsupportedReason = nullptr; // never destroyed

extern "C" int refuseOpen(virConnectPtr, virConnectAuthPtr, void *, unsigned int) {
    constexpr int kError = -2;
    abi::raiseError(VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, unsupportedReason->c_str());
    return kError;
}

/// Takes the driver's place under a libvirt that it cannot serve: logs `reason` once, and registers
/// a connect driver whose open fails with the same sentence, so that a daemon starts and a client
/// of it learns why there are no secrets.
void registerUnsupported(const abi::HypervisorSlots &slots, const std::string &reason) {
    static abi::HypervisorDriver connections{};
    unsupportedReason = new std::string(reason);
    abi::log(abi::LogPriority::error, reason.c_str());
    connections.slot[slots.name] = const_cast<char *>("secret");
    connections.slot[slots.connectOpen] = reinterpret_cast<void *>(refuseOpen);
    if (abi::symbols().virRegisterConnectDriver)
        abi::symbols().virRegisterConnectDriver(&connectDriver(connections), false);
}

// -1 or 0 of libvirt's own functions; the error it raised says what is wrong.
void registerDriver(const abi::HypervisorSlots &slots) {
    abi::ConnectDriver &driver = connectDriver(connectionTable(slots));
    driver.secretDriver = &secretDriverTable();
    DriverState::get().setConnectionTable(driver.hypervisorDriver);

    const abi::Symbols &libvirt = abi::symbols();
    if (libvirt.virRegisterConnectDriver(&driver, false) < 0 ||
        libvirt.virSetSharedSecretDriver(&secretDriverTable()) < 0 ||
        libvirt.virRegisterStateDriver(&stateDriverTable()) < 0)
        abi::log(abi::LogPriority::error, "Keyhold: libvirt did not take the secret driver");
}

void registerOnce() {
    const char *missing = abi::loadSymbols();
    const unsigned long release = abi::runningRelease();
    const std::string reason = reasonAgainst(release, missing);
    if (!reason.empty()) {
        registerUnsupported(abi::hypervisorSlots(release), reason);
        return;
    }
    if (release > abi::kNewestTestedRelease)
        abi::log(abi::LogPriority::warning,
                 ("Keyhold: libvirt " + releaseText(release) + " is newer than " +
                  releaseText(abi::kNewestTestedRelease) + ", the newest that was tested")
                     .c_str());
    registerDriver(abi::hypervisorSlots(release));
}

} // namespace

} // namespace keyhold

/// libvirt calls this after loading the module, and in an embedding process again at every open. It
/// never fails: -1 would end libvirtd, and would keep a process that embeds from opening again.
extern "C" __attribute__((visibility("default"))) int secretRegister() {
    static std::once_flag isRegistered;
    try {
        std::call_once(isRegistered, keyhold::registerOnce);
    } catch (const std::exception &exception) {
        keyhold::abi::log(keyhold::abi::LogPriority::error, exception.what());
    }
    return 0;
}
