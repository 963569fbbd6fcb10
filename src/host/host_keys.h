// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "conf/settings.h"
#include "host/instance_paths.h"
#include "keys/key_source.h"
#include "os/file_system.h"
#include "seal/sealing_policy.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyhold {

/// How long keys may take to come, all that one host needs together. A service that systemd starts
/// is ended after 90 seconds.
inline constexpr std::chrono::seconds kKeyPatience{60};

/// What `secret.conf` and the sources of keys that it names say at one moment.
struct HostKeys {
    Settings settings;
    bool hasSettings = true; ///< false if the file cannot be read: `settings` says nothing
    std::optional<FileStatus> settingsStatus; ///< of secret.conf before it was read; empty if none
    KeyPlan plan;
    std::shared_ptr<const SealingPolicy> policy;
    std::unique_ptr<KeySource> primarySource; ///< null if no key is configured for encryption
    std::vector<std::unique_ptr<KeySource>> earlierSources;
    /// FetchedKey::complaint of earlier keys. They only open values, so none of them has a
    /// consequence here.
    std::vector<std::string> earlierComplaints;
};

/// Reads the settings and fetches the keys they name, within kKeyPatience. Never fails: what is
/// wrong goes to the log, and only what needs it is affected. A file of settings that cannot be
/// read or parsed might ask for encryption, so values are then not written, and no key is known to
/// read them. Of a setting that cannot be understood the others do not suffer; if it decides how
/// values are written, none is, and the keys that are known read them. A missing file is an empty
/// one.
[[nodiscard]] HostKeys readHostKeys(const InstancePaths &paths, AdminLog &log);
/// The same for an instance that another process serves: `credentialsDirectory` is its
/// $CREDENTIALS_DIRECTORY, or null.
[[nodiscard]] HostKeys readHostKeys(const InstancePaths &paths, const char *credentialsDirectory,
                                    AdminLog &log);

} // namespace keyhold
