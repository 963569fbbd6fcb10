// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/connection.h"
#include "command/output.h"
#include "command/secret_name.h"
#include "command/target.h"
#include "conf/secret_definition.h"
#include "seal/sealing_policy.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// One secret, as the daemon and the files have it.
struct SecretEntry {
    Uuid uuid;
    /// The daemon's if that answered, else that of the file; empty if it cannot be read.
    std::optional<SecretDefinition> definition;
    bool isServed = false; ///< the daemon has it
    bool hasFile = false;  ///< there is a definition file
    // Of the value file that counts; an ephemeral secret has none, whatever its value.
    std::optional<ValueFormat> format; ///< empty if there is none
    std::string keyId;                 ///< of a sealed one
    bool isUnreadable = false;
    std::int64_t changed = 0; ///< nanoseconds since the epoch
};

/// What one store has.
struct SecretList {
    Target target;
    bool isOfDaemon = false;          ///< the definitions are a daemon's
    std::string note;                 ///< where the definitions are from, for people
    std::vector<SecretEntry> entries; ///< by use and uuid
};

/// Looks at the files, and asks the daemon that has the store open, if it answers. Changes nothing,
/// and starts nothing. Raises as reportOn().
[[nodiscard]] SecretList listSecrets(const Target &target,
                                     const std::vector<std::string> &keyFiles);

/// All definitions that are served on a connection; those that go in the meantime are left out.
/// Raises as raiseLibvirtError().
[[nodiscard]] std::vector<SecretDefinition> definitionsOn(virConnect *connection);

/// Puts together what files and daemon have.
[[nodiscard]] std::vector<SecretEntry> withServed(std::vector<SecretEntry> ofFiles,
                                                  std::vector<SecretDefinition> served);

/// The one entry of this name; raises notFound, and invalidArgument where several have one use.
[[nodiscard]] const SecretEntry &findEntry(const SecretList &list, const SecretName &name);

/// "sealed", "plain", "aes256cbc", or "none".
[[nodiscard]] const char *formName(const std::optional<ValueFormat> &format) noexcept;
[[nodiscard]] Json jsonOf(const SecretEntry &entry, bool isOfDaemon);

} // namespace keyhold::command
