// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libvirt/libvirt.h>

#include <optional>
#include <string>

namespace keyhold {

/// Which instance of the driver a connection's URI asks for.
namespace connection_uri {

/// In a daemon: raises ErrorAlreadyRaised unless the path is the daemon's own, /system or /session.
/// A client can name any URI in the `name` parameter of a remote one, so nothing else is looked at.
void requireDaemonPath(virConnectPtr connection, bool isPrivileged);

/// In an embedding process: the root directory of a `secret:///embed?root=DIR` connection. Raises
/// ErrorAlreadyRaised for a missing root, and internal for another path, as the stock driver does.
[[nodiscard]] std::string requireEmbeddedRoot(virConnectPtr connection);

/// The root of another driver's embedded connection, such as `qemu:///embed?root=DIR`, if it has
/// one.
[[nodiscard]] std::optional<std::string> embeddedRootOf(virConnectPtr connection);

/// The URI of a connection as a record shows it: without its user and parameters.
[[nodiscard]] std::string shown(virConnectPtr connection);

/// The URI of an embedded secret connection for a root, escaped as RFC 3986 wants it.
[[nodiscard]] std::string forEmbeddedRoot(const std::string &root);

} // namespace connection_uri

} // namespace keyhold
