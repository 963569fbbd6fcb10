// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/settings.h"
#include "host/instance_paths.h"
#include "seal/at_rest.h"
#include "store/journal.h"

#include <memory>

namespace keyhold {

/// What `secret.conf` and the key files say at one moment.
struct HostKeys {
    Settings settings;
    KeyPlan plan;
    std::shared_ptr<const AtRest> atRest;
};

/// Reads the settings and the keys they name. Never fails: what is wrong goes to the journal, and
/// costs what needs it. A file of settings that cannot be read or understood might ask for
/// encryption, so values are then not written in the clear. A missing one is an empty one.
[[nodiscard]] HostKeys readHostKeys(const InstancePaths &paths, Journal &journal);
/// The same for an instance that another process serves: `credentialsDirectory` is its
/// $CREDENTIALS_DIRECTORY, or null.
[[nodiscard]] HostKeys readHostKeys(const InstancePaths &paths, const char *credentialsDirectory,
                                    Journal &journal);

} // namespace keyhold
