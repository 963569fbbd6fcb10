// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "host/host_keys.h"

#include <string>

namespace keyhold::command {

/// What becomes of the values that are stored.
enum class Purpose {
    seal,   ///< all are sealed under the current key
    rekey,  ///< those that are sealed under an earlier key are sealed under the current one
    unseal, ///< all are plain, as every libvirt reads them
};

/// "seal", "rekey", "unseal".
[[nodiscard]] const char *purposeName(Purpose purpose) noexcept;

/// The rules that make a store what `purpose` wants. Raises configUnsupported or
/// invalidEncryptionKey, with the remedy, if `keys` do not allow it: nothing is sealed that
/// secret.conf does not ask to seal.
[[nodiscard]] SealingPolicy::Rules rulesFor(Purpose purpose, const HostKeys &keys,
                                            const std::string &settingsFile);

/// What must be set before a daemon with these settings does it by itself; empty if nothing.
[[nodiscard]] std::string lackingFor(Purpose purpose, const Settings &settings,
                                     const KeyPlan &plan);

/// What to set afterwards so that it stays so, or what can go; empty if there is nothing to say.
[[nodiscard]] std::string adviceAfter(Purpose purpose, const Settings &settings,
                                      const KeyPlan &plan, const std::string &settingsFile);

} // namespace keyhold::command
