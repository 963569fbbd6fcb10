// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "conf/settings.h"

#include <string>

namespace keyhold {

/// What a `secret.conf` says; a file that is missing, or whose directory is, is an empty one.
/// Statements that do not count go to the log as warnings. Raises configUnsupported, systemCall or
/// internal if it cannot be read or parsed; no text quotes a value.
[[nodiscard]] Settings readSettingsFile(const std::string &path, AdminLog &log);

} // namespace keyhold
