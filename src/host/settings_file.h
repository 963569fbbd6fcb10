// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/settings.h"

#include <string>
#include <vector>

namespace keyhold {

/// A `secret.conf`, read.
struct SettingsFile {
    Settings settings;
    std::vector<std::string> ignored; ///< statements that do not count, as ignoredStatements()
};

/// A file that is missing, or whose directory is, is an empty one. Raises configUnsupported,
/// systemCall or internal if it cannot be read or parsed; no text quotes a value.
[[nodiscard]] SettingsFile readSettingsFile(const std::string &path);

} // namespace keyhold
