// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold {

/// Where an instance keeps its files and finds its settings (docs/architecture.md, "On disk").
struct InstancePaths {
    std::string configDirectory; ///< definitions and values
    std::string stateDirectory;  ///< the lock
    /// `secret.conf`; of an embedded root its own, if it has one, else that of the user.
    std::string settingsFile;
    bool isSystem = false;   ///< of the system instance
    std::string auditFile{}; ///< the audit trail, unless the instance's own settings name another
    std::string auditKeyFile{}; ///< the key that seals the next record of it
    std::string name{};         ///< "system", "session", or the directory of an embedded root
    bool hasOwnSettings = true; ///< settingsFile is of this instance alone

    [[nodiscard]] static InstancePaths system();
    /// XDG directories, as libvirt finds them for the user of this process.
    [[nodiscard]] static InstancePaths session();
    [[nodiscard]] static InstancePaths embedded(const std::string &root);
};

/// Where libvirt 12.1 and later look for the key if nothing names one and `encrypt_data` is 1.
[[nodiscard]] std::string builtInKeyPath();

} // namespace keyhold
