// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/entries.h"

#include "conf/secret_xml.h"
#include "config.h"
#include "remote/error_report.h"
#include "secret_driver/calls.h"
#include "secret_driver/driver_state.h"

/// The entries of the tables. Each has one shape: check the flags, find the instance of the
/// connection, make the call, and let guard() translate what goes wrong.
namespace keyhold {

namespace {

using audit::Action;

std::shared_ptr<Instance> instanceOf(virConnectPtr connection) {
    return DriverState::get().instanceOf(connection);
}

/// As guard(), of what has nothing to answer: 0, or -1 on failure.
template <typename Work>
int succeed(const Work &work) {
    return guard(-1, [&] {
        work();
        return 0;
    });
}

/// Has a call done by the instance that serves its connection, and recorded.
template <typename Work>
auto serve(virConnectPtr connection, Action action, std::optional<Uuid> secret, const Work &work) {
    const auto instance = instanceOf(connection);
    return audited(instance->trail(), action, connection, secret,
                   [&](AuditedCall &call) { return work(*instance, call); });
}

template <typename Work>
auto serve(virSecretPtr secret, Action action, const Work &work) {
    return serve(abi::secretConnection(secret), action, calls::uuidOf(secret), work);
}

constexpr int kInitError = -1; // virDrvStateInitResult of libvirt; ends libvirtd
constexpr int kInitComplete = 1;

extern "C" {

// Opening and closing `secret:///` connections.

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

// Secrets.

int connectNumOfSecrets(virConnectPtr connection) {
    return guard(-1, [&] {
        return serve(connection, Action::listed, {}, [&](Instance &instance, AuditedCall &) {
            return calls::count(instance, connection);
        });
    });
}

int connectListSecrets(virConnectPtr connection, char **uuids, int maxUuids) {
    return guard(-1, [&] {
        return serve(connection, Action::listed, {}, [&](Instance &instance, AuditedCall &) {
            return calls::listUuids(instance, connection, uuids, maxUuids);
        });
    });
}

int connectListAllSecrets(virConnectPtr connection, virSecretPtr **secrets, unsigned int flags) {
    return guard(-1, [&] {
        requireFlags(flags, calls::kListFlags, "secretConnectListAllSecrets");
        return serve(connection, Action::listed, {}, [&](Instance &instance, AuditedCall &) {
            return calls::listAll(instance, connection, secrets, flags);
        });
    });
}

virSecretPtr secretLookupByUUID(virConnectPtr connection, const unsigned char *uuid) {
    return guard(virSecretPtr{}, [&] {
        return serve(connection, Action::lookedUp, calls::uuidOf(uuid),
                     [&](Instance &instance, AuditedCall &call) {
                         return calls::lookupByUuid(instance, call, connection, uuid);
                     });
    });
}

virSecretPtr secretLookupByUsage(virConnectPtr connection, int usageType, const char *usageId) {
    return guard(virSecretPtr{}, [&] {
        return serve(connection, Action::lookedUp, {}, [&](Instance &instance, AuditedCall &call) {
            return calls::lookupByUsage(instance, call, connection, usageType, usageId);
        });
    });
}

virSecretPtr secretDefineXML(virConnectPtr connection, const char *xml, unsigned int flags) {
    return guard(virSecretPtr{}, [&] {
        requireFlags(flags, VIR_SECRET_DEFINE_VALIDATE, "secretDefineXML");
        const char *schema =
            flags & VIR_SECRET_DEFINE_VALIDATE ? KEYHOLD_SCHEMADIR "/secret.rng" : nullptr;
        return serve(connection, Action::defined, {}, [&](Instance &instance, AuditedCall &call) {
            return calls::define(instance, call, connection, parseSecretXml(xml, schema));
        });
    });
}

char *secretGetXMLDesc(virSecretPtr secret, unsigned int flags) {
    return guard(static_cast<char *>(nullptr), [&] {
        requireFlags(flags, 0, "secretGetXMLDesc");
        return serve(secret, Action::dumped, [&](Instance &instance, AuditedCall &call) {
            return calls::xmlOf(instance, call, secret);
        });
    });
}

int secretSetValue(virSecretPtr secret, const unsigned char *value, std::size_t size,
                   unsigned int flags) {
    return succeed([&] {
        requireFlags(flags, 0, "secretSetValue");
        serve(secret, Action::valueSet, [&](Instance &instance, AuditedCall &call) {
            calls::setValue(instance, call, secret, {value, size});
        });
    });
}

unsigned char *secretGetValue(virSecretPtr secret, std::size_t *size, unsigned int flags) {
    return guard(static_cast<unsigned char *>(nullptr), [&] {
        requireFlags(flags, 0, "secretGetValue");
        return serve(secret, Action::valueRead, [&](Instance &instance, AuditedCall &call) {
            return calls::valueOf(instance, call, secret, *size);
        });
    });
}

int secretUndefine(virSecretPtr secret) {
    return succeed([&] {
        serve(secret, Action::undefined, [&](Instance &instance, AuditedCall &call) {
            calls::undefine(instance, call, secret);
        });
    });
}

int connectSecretEventRegisterAny(virConnectPtr connection, virSecretPtr secret, int eventId,
                                  virConnectSecretEventGenericCallback callback, void *opaque,
                                  virFreeCallback freeCallback) {
    return guard(-1, [&] {
        return serve(connection, Action::watched, {}, [&](Instance &instance, AuditedCall &) {
            access::require(connection, &abi::Symbols::virConnectSecretEventRegisterAnyEnsureACL);
            return instance.events()->add(connection, secret, eventId, callback, opaque,
                                          freeCallback);
        });
    });
}

int connectSecretEventDeregisterAny(virConnectPtr connection, int callbackId) {
    return succeed([&] {
        access::require(connection, &abi::Symbols::virConnectSecretEventDeregisterAnyEnsureACL);
        calls::deregister(DriverState::get().watchedBy(connection), connection, callbackId);
    });
}

// Start, reload and stop of the driver in its process.

int stateInitialize(bool privileged, const char *root, bool, abi::InhibitCallback callback,
                    void *opaque) {
    return guard(kInitError, [&] {
        DriverState::get().start(privileged, root != nullptr, callback, opaque);
        return kInitComplete;
    });
}

int stateCleanup() {
    return succeed([] { DriverState::get().stop(); });
}

int stateReload() {
    return succeed([] { DriverState::get().reload(); });
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

abi::SecretDriver &secretDriverTable() {
    static abi::SecretDriver table{
        .name = "secret",
        .connectNumOfSecrets = connectNumOfSecrets,
        .connectListSecrets = connectListSecrets,
        .connectListAllSecrets = connectListAllSecrets,
        .secretLookupByUUID = secretLookupByUUID,
        .secretLookupByUsage = secretLookupByUsage,
        .secretDefineXML = secretDefineXML,
        .secretGetXMLDesc = secretGetXMLDesc,
        .secretSetValue = secretSetValue,
        .secretGetValue = secretGetValue,
        .secretUndefine = secretUndefine,
        .connectSecretEventRegisterAny = connectSecretEventRegisterAny,
        .connectSecretEventDeregisterAny = connectSecretEventDeregisterAny,
    };
    return table;
}

abi::StateDriver &stateDriverTable() {
    static abi::StateDriver table{"secret",    false,   stateInitialize, stateCleanup,
                                  stateReload, nullptr, nullptr,         nullptr};
    return table;
}

} // namespace keyhold
