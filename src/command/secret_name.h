// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/usage.h"
#include "conf/uuid.h"

#include <optional>
#include <string>

namespace keyhold::command {

/// How a command line names a secret: by its uuid, or as TYPE:ID by what it is for, such as
/// "ceph:client.libvirt secret".
struct SecretName {
    std::optional<Uuid> uuid;
    Usage usage; ///< if there is no uuid

    [[nodiscard]] bool isOf(const Uuid &otherUuid, const Usage &otherUsage) const {
        return uuid ? *uuid == otherUuid : usage == otherUsage;
    }
    /// In its canonical spelling.
    [[nodiscard]] std::string text() const;
};

/// Raises invalidArgument.
[[nodiscard]] SecretName parseSecretName(const std::string &text);

/// "ceph:client.libvirt secret"; "none" for none.
[[nodiscard]] std::string usageText(const Usage &usage);

} // namespace keyhold::command
