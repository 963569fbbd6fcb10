// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/store_keys.h"
#include "command/target.h"

#include <string>

namespace keyhold::command {

/// A new key in the place of a lost one would open nothing, and hide the loss, as where the file
/// system of the key is not mounted. If nothing is at `place` and `store` names it as a key, this
/// raises configUnsupported, with the remedy, where something shows that there was one: a note in
/// the settings, the daemon that has it, or a stored value that needs a key which is not there.
void requireNoLostKey(const Target &target, const StoreKeys &store, const std::string &place);

} // namespace keyhold::command
