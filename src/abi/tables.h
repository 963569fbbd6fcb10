// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libvirt/libvirt.h>

#include <cstddef>

/// C layouts of libvirt's internal driver tables and objects, as far as a secret driver meets them.
/// Source: libvirt 9.0.0 and 11.3.0, src/driver.h, src/driver-state.h, src/driver-secret.h,
/// src/driver-hypervisor.h, src/datatypes.h, src/util/viruri.h, src/conf/secret_conf.h,
/// src/util/virlog.h. The layouts are equal in both and in 12.8.0; what differs is in release.h.
namespace keyhold::abi {

extern "C" {

using InhibitCallback = void (*)(bool inhibit, void *opaque);

struct StateDriver {
    const char *name;
    bool initialized; // libvirt's own, set before stateInitialize is called
    int (*stateInitialize)(bool privileged, const char *root, bool monolithic,
                           InhibitCallback callback, void *opaque);
    int (*stateCleanup)();
    int (*stateReload)();
    int (*stateStop)();
    int (*stateShutdownPrepare)();
    int (*stateShutdownWait)();
};

struct SecretDriver {
    const char *name;
    int (*connectNumOfSecrets)(virConnectPtr conn);
    int (*connectListSecrets)(virConnectPtr conn, char **uuids, int maxUuids);
    int (*connectListAllSecrets)(virConnectPtr conn, virSecretPtr **secrets, unsigned int flags);
    virSecretPtr (*secretLookupByUUID)(virConnectPtr conn, const unsigned char *uuid);
    virSecretPtr (*secretLookupByUsage)(virConnectPtr conn, int usageType, const char *usageId);
    virSecretPtr (*secretDefineXML)(virConnectPtr conn, const char *xml, unsigned int flags);
    char *(*secretGetXMLDesc)(virSecretPtr secret, unsigned int flags);
    int (*secretSetValue)(virSecretPtr secret, const unsigned char *value, std::size_t size,
                          unsigned int flags);
    unsigned char *(*secretGetValue)(virSecretPtr secret, std::size_t *size, unsigned int flags);
    int (*secretUndefine)(virSecretPtr secret);
    int (*connectSecretEventRegisterAny)(virConnectPtr conn, virSecretPtr secret, int eventId,
                                         virConnectSecretEventGenericCallback callback,
                                         void *opaque, virFreeCallback freeCallback);
    int (*connectSecretEventDeregisterAny)(virConnectPtr conn, int callbackId);
};

/// An array of pointers; which slot is which entry is in release.h.
struct HypervisorDriver {
    static constexpr std::size_t kSlots = 512; // 258 in 9.0.0, 263 in 11.3.0; room for more
    void *slot[kSlots];
};

struct ConnectDriver {
    bool localOnly;
    bool remoteOnly;
    bool embeddable;
    const char **uriSchemes;
    HypervisorDriver *hypervisorDriver;
    void *interfaceDriver;
    void *networkDriver;
    void *nodeDeviceDriver;
    void *nwfilterDriver;
    SecretDriver *secretDriver;
    void *storageDriver;
};

struct UriParam {
    char *name;
    char *value;
    bool ignore;
};

struct Uri {
    char *scheme;
    char *server;
    char *user;
    unsigned int port;
    char *path;
    char *query;
    char *fragment;
    std::size_t paramsCount;
    std::size_t paramsAlloc;
    UriParam *params;
};

/// What the access-control functions read.
struct SecretDef {
    bool isEphemeral;
    bool isPrivate;
    unsigned char uuid[VIR_UUID_BUFLEN];
    char *description;
    int usageType;
    char *usageId; // null when the type is none
};

struct LogSource {
    const char *name;
    unsigned int priority;
    unsigned int serial;
};

} // extern "C"

/// libvirt's opaque types, by the names its own functions use.
struct Conf;
struct EventState;
struct Event;
struct Identity;

/// Fields of virConnect and virSecret, which begin with libvirt's object headers. The offsets are
/// libvirt's on LP64; release.h says for which releases they were checked.
[[nodiscard]] unsigned int connectionFlags(virConnectPtr conn) noexcept;
[[nodiscard]] const Uri *connectionUri(virConnectPtr conn) noexcept;
[[nodiscard]] const HypervisorDriver *connectionDriver(virConnectPtr conn) noexcept;
[[nodiscard]] void *connectionPrivateData(virConnectPtr conn) noexcept;
void setConnectionPrivateData(virConnectPtr conn, void *data) noexcept;
[[nodiscard]] virConnectPtr secretConnection(virSecretPtr secret) noexcept;
[[nodiscard]] const unsigned char *secretUuid(virSecretPtr secret) noexcept;

} // namespace keyhold::abi
