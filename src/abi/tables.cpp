// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/tables.h"

#include <glib-object.h>
#include <pthread.h>

namespace keyhold::abi {
namespace {

/// What virConnect and virSecret begin with (src/datatypes.h, src/util/virobject.h of 9.0.0 and
/// 11.3.0; 12.8.0 by the offsets its own modules use).
struct Object {
    GObject parent;
};

struct LockableObject {
    Object parent;
    pthread_mutex_t lock;
};

struct ConnectionHead {
    LockableObject parent;
    unsigned int flags;
    Uri *uri;
    HypervisorDriver *driver;
    void *networkDriver;
    void *interfaceDriver;
    void *storageDriver;
    void *nodeDeviceDriver;
    SecretDriver *secretDriver;
    void *nwfilterDriver;
    void *privateData;
};

struct SecretHead {
    Object parent;
    virConnectPtr conn;
    unsigned char uuid[VIR_UUID_BUFLEN];
    int usageType;
    char *usageId;
};

static_assert(sizeof(void *) == 8 && sizeof(long) == 8, "only LP64 was checked");
static_assert(sizeof(Object) == 24);
static_assert(offsetof(SecretHead, conn) == 24);
static_assert(offsetof(SecretHead, uuid) == 32);
static_assert(offsetof(SecretHead, usageType) == 48);
static_assert(offsetof(SecretHead, usageId) == 56);
// The mutex is of the C library's size, which differs between processors: 40 bytes on x86-64.
static_assert(offsetof(ConnectionHead, flags) == sizeof(Object) + sizeof(pthread_mutex_t));
static_assert(offsetof(ConnectionHead, uri) == offsetof(ConnectionHead, flags) + 8);
static_assert(offsetof(ConnectionHead, driver) == offsetof(ConnectionHead, flags) + 16);
static_assert(offsetof(ConnectionHead, secretDriver) == offsetof(ConnectionHead, flags) + 56);
static_assert(offsetof(ConnectionHead, privateData) == offsetof(ConnectionHead, flags) + 72);
#ifdef __x86_64__
static_assert(offsetof(ConnectionHead, flags) == 64);
#endif

static_assert(offsetof(StateDriver, stateInitialize) == 16 && sizeof(StateDriver) == 64);
static_assert(sizeof(SecretDriver) == 13 * sizeof(void *));
static_assert(offsetof(ConnectDriver, uriSchemes) == 8 && sizeof(ConnectDriver) == 72);
static_assert(offsetof(Uri, path) == 32 && offsetof(Uri, params) == 72 && sizeof(Uri) == 80);
static_assert(offsetof(UriParam, ignore) == 16 && sizeof(UriParam) == 24);
static_assert(offsetof(SecretDef, uuid) == 2 && offsetof(SecretDef, description) == 24);
static_assert(offsetof(SecretDef, usageType) == 32 && offsetof(SecretDef, usageId) == 40);
static_assert(offsetof(LogSource, priority) == 8 && sizeof(LogSource) == 16);

ConnectionHead *head(virConnectPtr conn) noexcept {
    return reinterpret_cast<ConnectionHead *>(conn);
}

SecretHead *head(virSecretPtr secret) noexcept {
    return reinterpret_cast<SecretHead *>(secret);
}

} // namespace

unsigned int connectionFlags(virConnectPtr conn) noexcept {
    return head(conn)->flags;
}

const Uri *connectionUri(virConnectPtr conn) noexcept {
    return head(conn)->uri;
}

const HypervisorDriver *connectionDriver(virConnectPtr conn) noexcept {
    return head(conn)->driver;
}

void *connectionPrivateData(virConnectPtr conn) noexcept {
    return head(conn)->privateData;
}

void setConnectionPrivateData(virConnectPtr conn, void *data) noexcept {
    head(conn)->privateData = data;
}

virConnectPtr secretConnection(virSecretPtr secret) noexcept {
    return head(secret)->conn;
}

const unsigned char *secretUuid(virSecretPtr secret) noexcept {
    return head(secret)->uuid;
}

} // namespace keyhold::abi
