// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/store_keys.h"
#include "command/target.h"
#include "conf/settings.h"

#include <string>
#include <vector>

namespace keyhold::command {

/// `secrets-N.key` in `directory`, with the number after all that `named` has and all that are
/// there. With `takesThere` it is the one with the highest number of those that are there, if that
/// is above all that `named` has: so a first run that was interrupted after it had made a key takes
/// that one. A rotation does not, for the key may have been in use before.
[[nodiscard]] std::string nextKeyPlace(const std::string &directory,
                                       const std::vector<std::string> &named, bool takesThere);
/// Where the command puts keys that no option places: /var/lib/keyhold, for a session
/// $XDG_DATA_HOME/keyhold. Raises invalidArgument for an embedded root, which has no such place.
[[nodiscard]] std::string keyDirectoryOf(const Target &target);
/// Raises invalidArgument for a place whose copy would come with that of the values.
void requireAwayFromStore(const Target &target, const std::string &place);

/// Raises configUnsupported if the settings refuse values in plain and there are some: they could
/// neither be sealed, for nobody may read them, nor be left behind.
void requireNoRefusedPlainValue(const Target &target, const StoreKeys &keys);

/// Raises invalidEncryptionKey if a value needs a key that is not there, and could not be written
/// in plain. If several keys are missing, it prints a line for each of the others before.
void requireEveryKey(const Target &target, const StoreKeys &keys);

/// `secrets_decryption_keys` with one more path, first, as it is written in the settings.
[[nodiscard]] std::string listWith(const std::string &path, const std::vector<std::string> &others);

} // namespace keyhold::command
