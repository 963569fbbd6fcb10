// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"
#include "command/holder.h"
#include "command/target.h"
#include "host/host_keys.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// The settings of a store and its keys, as the process that serves it has them.
struct StoreKeys {
    HostKeys host;
    std::vector<Finding> findings; ///< what is wrong with them, of kind settings
};

/// A systemd credential is looked for where `holder` has it, else where this process does. Keys in
/// `moreKeyFiles` only open values. Raises as fetchKey() for these; what is wrong with
/// secret.conf and the files it names is a finding.
[[nodiscard]] StoreKeys readStoreKeys(const Target &target, const std::optional<Holder> &holder,
                                      const std::vector<std::string> &moreKeyFiles = {});

/// The keys of `policy` under other rules.
[[nodiscard]] std::shared_ptr<const SealingPolicy> withRules(const SealingPolicy &policy,
                                                             SealingPolicy::Rules rules);

/// A key file that the command line names. A relative path is of the working directory. Raises
/// invalidEncryptionKey if the path may be the key itself.
[[nodiscard]] std::unique_ptr<KeySource> namedKeyFile(const std::string &path);

/// As KeySource::fetch(), within kKeyPatience.
[[nodiscard]] FetchedKey fetchKey(const KeySource &source);

} // namespace keyhold::command
