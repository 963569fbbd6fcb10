// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/connection.h"
#include "command/secret_name.h"
#include "command/target.h"
#include "conf/secret_definition.h"

#include <cstddef>

namespace keyhold::command {

/// Bytes: what libvirt's RPC carries (REMOTE_SECRET_VALUE_MAX, remote_protocol.x).
inline constexpr std::size_t kMaxValueOfClients = std::size_t{64} * 1024;

/// Whoever serves the secrets of `target` to clients: its daemon, or for an embedded root this
/// process with Keyhold's module. A session daemon is started if there is none. Raises
/// configUnsupported with what to do if there is nobody, if another process has the root open, or
/// if libvirt has another secret driver than Keyhold here.
[[nodiscard]] Connection openSecretService(const Target &target);

/// Null if there is no such secret; raises as raiseLibvirtError().
[[nodiscard]] SecretHandle lookUp(virConnect *connection, const SecretName &name);
/// Raises notFound with `remedy` if there is no such secret.
[[nodiscard]] SecretHandle require(virConnect *connection, const SecretName &name,
                                   const char *remedy);

/// What its definition says. Raises as raiseLibvirtError().
[[nodiscard]] SecretDefinition servedDefinition(virSecret *secret);
/// The uuid and use of a handle, which asks nobody.
[[nodiscard]] Uuid uuidOf(virSecret *secret);
[[nodiscard]] Usage usageOf(virSecret *secret);

} // namespace keyhold::command
