// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remote/access.h"

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

void require(virConnectPtr connection, ConnectionCheck check) {
    requireSuccess((abi::symbols().*check)(connection));
}

void require(virConnectPtr connection, SecretCheck check, const SecretDefinition &definition) {
    abi::SecretDef secret = hostDefinition(definition);
    requireSuccess((abi::symbols().*check)(connection, &secret));
}

bool isVisible(virConnectPtr connection, ListCheck check, const SecretDefinition &definition) {
    abi::SecretDef secret = hostDefinition(definition);
    return (abi::symbols().*check)(connection, &secret);
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
