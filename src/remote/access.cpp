// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/access.h"

#include "abi/symbols.h"
#include "remote/error_report.h"

#include <glib-object.h>

#include <algorithm>

namespace keyhold::access {

namespace {

// The access functions take pointers to non-const, and only read.
abi::SecretDef hostDefinition(const SecretDefinition &definition) {
    abi::SecretDef out{};
    out.isEphemeral = definition.isEphemeral;
    out.isPrivate = definition.isPrivate;
    std::ranges::copy(definition.uuid.bytes(), out.uuid);
    if (!definition.description.empty())
        out.description = const_cast<char *>(definition.description.c_str());
    out.usageType = static_cast<int>(definition.usage.type);
    if (definition.usage.type != UsageType::none)
        out.usageId = const_cast<char *>(definition.usage.id.c_str());
    return out;
}

void requireSuccess(int result) {
    if (result < 0)
        throw ErrorAlreadyRaised();
}

} // namespace

void require(virConnectPtr connection, ConnectionCall call) {
    const abi::Symbols &libvirt = abi::symbols();
    switch (call) {
    case ConnectionCall::open:
        return requireSuccess(libvirt.virConnectOpenEnsureACL(connection));
    case ConnectionCall::count:
        return requireSuccess(libvirt.virConnectNumOfSecretsEnsureACL(connection));
    case ConnectionCall::listUuids:
        return requireSuccess(libvirt.virConnectListSecretsEnsureACL(connection));
    case ConnectionCall::listAll:
        return requireSuccess(libvirt.virConnectListAllSecretsEnsureACL(connection));
    case ConnectionCall::registerEvents:
        return requireSuccess(libvirt.virConnectSecretEventRegisterAnyEnsureACL(connection));
    case ConnectionCall::deregisterEvents:
        return requireSuccess(libvirt.virConnectSecretEventDeregisterAnyEnsureACL(connection));
    }
}

void require(virConnectPtr connection, SecretCall call, const SecretDefinition &definition) {
    const abi::Symbols &libvirt = abi::symbols();
    abi::SecretDef secret = hostDefinition(definition);
    switch (call) {
    case SecretCall::lookupByUuid:
        return requireSuccess(libvirt.virSecretLookupByUUIDEnsureACL(connection, &secret));
    case SecretCall::lookupByUsage:
        return requireSuccess(libvirt.virSecretLookupByUsageEnsureACL(connection, &secret));
    case SecretCall::define:
        return requireSuccess(libvirt.virSecretDefineXMLEnsureACL(connection, &secret));
    case SecretCall::getXml:
        return requireSuccess(libvirt.virSecretGetXMLDescEnsureACL(connection, &secret));
    case SecretCall::setValue:
        return requireSuccess(libvirt.virSecretSetValueEnsureACL(connection, &secret));
    case SecretCall::getValue:
        return requireSuccess(libvirt.virSecretGetValueEnsureACL(connection, &secret));
    case SecretCall::undefine:
        return requireSuccess(libvirt.virSecretUndefineEnsureACL(connection, &secret));
    }
}

bool isVisible(virConnectPtr connection, ConnectionCall call, const SecretDefinition &definition) {
    const abi::Symbols &libvirt = abi::symbols();
    abi::SecretDef secret = hostDefinition(definition);
    if (call == ConnectionCall::count)
        return libvirt.virConnectNumOfSecretsCheckACL(connection, &secret);
    if (call == ConnectionCall::listUuids)
        return libvirt.virConnectListSecretsCheckACL(connection, &secret);
    return libvirt.virConnectListAllSecretsCheckACL(connection, &secret);
}

bool isForClient() {
    // Asking for the elevation of a thread without an identity would be logged as an error.
    abi::Identity *identity = abi::symbols().virIdentityGetCurrent();
    if (!identity)
        return false;
    g_object_unref(identity);
    return abi::symbols().virIdentityIsCurrentElevated() == 0;
}

bool mayReadPrivate() {
    const int result = abi::symbols().virIdentityIsCurrentElevated();
    requireSuccess(result);
    return result > 0;
}

} // namespace keyhold::access
