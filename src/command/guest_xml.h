// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/usage.h"
#include "conf/uuid.h"

#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// A place in the XML of a guest, a storage pool or a volume that names a secret, by one of two.
struct SecretReference {
    std::optional<Uuid> uuid;
    Usage usage;       ///< if there is no uuid
    std::string where; ///< "disk vda", "tpm", "pool"

    bool operator==(const SecretReference &) const = default;
};

/// In the order of the document: what <auth>, <encryption> and the TPM's <encryption secret='...'>
/// name (libvirt's formatdomain, formatstorage and formatstorageencryption). Raises xmlMalformed.
[[nodiscard]] std::vector<SecretReference> secretReferencesIn(const std::string &xml);

} // namespace keyhold::command
