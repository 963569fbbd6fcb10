// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/settings.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace keyhold {

/// A `secret.conf`, read.
struct SettingsFile {
    Settings settings;
    std::vector<std::string> ignored; ///< statements that do not count, as ignoredStatements()
};

/// Bytes: MAX_CONFIG_FILE_SIZE of libvirt.
inline constexpr std::size_t kMaxSettingsSize = std::size_t{10} << 20;

/// The text of a `secret.conf`; empty if there is no such file, or no directory of it. Raises
/// systemCall or internal if it cannot be read.
[[nodiscard]] std::optional<std::string> readSettingsText(const std::string &path);

/// A file that is missing, or whose directory is, is an empty one. Raises configUnsupported,
/// systemCall or internal if it cannot be read or parsed; no text quotes a value.
[[nodiscard]] SettingsFile readSettingsFile(const std::string &path);

} // namespace keyhold
