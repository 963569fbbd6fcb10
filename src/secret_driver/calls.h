// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/secret_definition.h"
#include "remote/access.h"
#include "secret_driver/audited_call.h"
#include "secret_driver/instance.h"

#include <libvirt/libvirt.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace keyhold {

/// What each entry of the secret table does once its instance is known: access check on the
/// record, work on the store, what the audit trail must know beforehand, result in the form libvirt
/// hands to its caller. Strings, arrays and values are malloc'ed; the caller of libvirt frees them.
/// All raise Error or ErrorAlreadyRaised.
namespace calls {

/// VIR_CONNECT_LIST_SECRETS_*: two pairs of filters.
inline constexpr unsigned int kListFlags =
    VIR_CONNECT_LIST_SECRETS_EPHEMERAL | VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL |
    VIR_CONNECT_LIST_SECRETS_PRIVATE | VIR_CONNECT_LIST_SECRETS_NO_PRIVATE;

[[nodiscard]] Uuid uuidOf(const unsigned char *uuid);
[[nodiscard]] Uuid uuidOf(virSecretPtr secret);

[[nodiscard]] int count(Instance &instance, virConnectPtr connection);
[[nodiscard]] int listUuids(Instance &instance, virConnectPtr connection, char **uuids,
                            int maxUuids);
/// `secrets` may be null: only the number is wanted.
[[nodiscard]] int listAll(Instance &instance, virConnectPtr connection, virSecretPtr **secrets,
                          unsigned int flags);

/// Takes a registration for events back, in the first of `watched` that has it.
void deregister(const std::vector<std::shared_ptr<Events>> &watched, virConnectPtr connection,
                int callbackId);

[[nodiscard]] virSecretPtr lookupByUuid(Instance &instance, AuditedCall &call,
                                        virConnectPtr connection, const unsigned char *uuid);
[[nodiscard]] virSecretPtr lookupByUsage(Instance &instance, AuditedCall &call,
                                         virConnectPtr connection, int usageType,
                                         const char *usageId);

[[nodiscard]] virSecretPtr define(Instance &instance, AuditedCall &call, virConnectPtr connection,
                                  const SecretDefinition &definition);
void undefine(Instance &instance, AuditedCall &call, virSecretPtr secret);
[[nodiscard]] char *xmlOf(Instance &instance, AuditedCall &call, virSecretPtr secret);
void setValue(Instance &instance, AuditedCall &call, virSecretPtr secret,
              std::span<const std::uint8_t> value);
[[nodiscard]] unsigned char *valueOf(Instance &instance, AuditedCall &call, virSecretPtr secret,
                                     std::size_t &size);

} // namespace calls

} // namespace keyhold
