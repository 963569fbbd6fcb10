// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "abi/symbols.h"
#include "conf/secret_definition.h"

#include <libvirt/libvirt.h>

namespace keyhold {

/// What a caller may do, decided by libvirt's access manager for the identity of the calling
/// thread. Every function asks again: decisions are never kept. Call them without any lock held; an
/// access driver such as polkit's waits for another process.
namespace access {

/// libvirt's check of one operation, which it has for each: on a connection as a whole, such as
/// `&abi::Symbols::virConnectOpenEnsureACL`, and on one secret.
using ConnectionCheck = int (*abi::Symbols::*)(virConnectPtr);
using SecretCheck = int (*abi::Symbols::*)(virConnectPtr, abi::SecretDef *);

/// Raises ErrorAlreadyRaised if the caller may not.
void require(virConnectPtr connection, ConnectionCheck check);
void require(virConnectPtr connection, SecretCheck check, const SecretDefinition &definition);

/// Whether this secret shows in a count or a list, each of which has a check of its own.
using ListCheck = bool (*abi::Symbols::*)(virConnectPtr, abi::SecretDef *);
[[nodiscard]] bool isVisible(virConnectPtr connection, ListCheck check,
                             const SecretDefinition &definition);

/// Whether the calling thread works for a client of a daemon. False inside libvirt's own calls, and
/// where threads have no identity, as in a program that embeds libvirt.
[[nodiscard]] bool isForClient();

/// Whether the caller may read values of private secrets: it is libvirt itself, in a daemon, on
/// behalf of a virtual machine. Raises ErrorAlreadyRaised if the calling thread has no identity at
/// all.
[[nodiscard]] bool mayReadPrivate();

} // namespace access

} // namespace keyhold
