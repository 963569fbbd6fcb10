// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/store_keys.h"
#include "command/target.h"

#include <string>

namespace keyhold::command {

/// Makes a key file of 32 random bytes, with mode 0600, in a directory that is there. Raises
/// fileAccess, also if there is a file already.
void makeKeyFile(const std::string &place);

/// A new key in the place of a lost one would open nothing, and hide the loss: raises
/// configUnsupported if `store` names `place` and a stored value needs a key that is not there.
void requireNoLostKey(const Target &target, const StoreKeys &store, const std::string &place);

} // namespace keyhold::command
