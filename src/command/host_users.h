// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/guest_xml.h"
#include "command/output.h"
#include "command/secret_name.h"
#include "command/target.h"

#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// Something that libvirt runs or has defined, and that names a secret.
struct SecretUser {
    enum class Kind { domain, pool, volume };

    Kind kind;
    std::string name; ///< of a volume: with its pool, "pool/volume"
    SecretReference reference;
    bool isLive = false;    ///< it runs with this, or is active
    bool isDefined = false; ///< the next start will use it

    [[nodiscard]] bool isSameAs(const SecretUser &other) const {
        return kind == other.kind && name == other.name && reference == other.reference;
    }
};

struct KnownSecret {
    Uuid uuid;
    Usage usage;
};

/// What one connection shows.
struct HostView {
    std::string uri;
    std::vector<KnownSecret> secrets;
    std::vector<SecretUser> users;
};

/// Asks for secrets, domains, storage pools and the volumes of active ones, read-only; what goes in
/// the meantime, and what the driver behind the connection does not have, is left out. Raises as
/// raiseLibvirtError().
[[nodiscard]] HostView lookAtHost(const std::string &uri);

/// A secret with all that uses it.
struct UsedSecret {
    SecretName name;        ///< by uuid if that is known
    Usage usage;            ///< of one that is there
    bool isMissing = false; ///< something uses it, and it is not there
    std::vector<SecretUser> users;
};

/// By use, those that are missing first. With `only`, no others; it is in the result if it is
/// there or used.
[[nodiscard]] std::vector<UsedSecret> usedSecrets(const HostView &view,
                                                  const std::optional<SecretName> &only);

/// The connections that were named, or the one that goes with the target.
[[nodiscard]] std::vector<std::string> connectionsFor(const TargetChoice &choice,
                                                      const std::vector<std::string> &named);

/// "domain 'guest', disk vda (running)"
[[nodiscard]] std::string textOf(const SecretUser &user);
[[nodiscard]] Json jsonOf(const SecretUser &user);

} // namespace keyhold::command
