// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/encrypt.h"

namespace keyhold::command {

/// The store that was named, with settings of its own: an embedded root without a `secret.conf`
/// falls back to one that other stores go by, and gets its own. Raises invalidArgument, notFound,
/// fileAccess, configUnsupported if its settings are not for this process to change.
[[nodiscard]] Target chooseWithOwnSettings(const EncryptOptions &options);

/// A file of settings that cannot be understood is not written to: raises configUnsupported.
void requireUsableSettings(const std::string &path);

} // namespace keyhold::command
