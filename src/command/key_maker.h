// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold::command {

/// Makes a key file of 32 random bytes, with mode 0600, in a directory that is there. What
/// killed runs left beside it goes. Raises fileAccess, also if there is a file already.
void makeKeyFile(const std::string &place);
/// Removes the other names that a run gave the key at `place` and was killed before it took away.
void removeOtherNames(const std::string &place);

} // namespace keyhold::command
