// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold::command {

/// Gives a new file the extended attributes (xattr(7)) of the one that it replaces, both open: its
/// access control list, security label and what else somebody set. Signatures of the content stay
/// behind. Returns 0, or -errno with the name of the attribute in `failed`. A security label that
/// this process may not set is left to the policy.
[[nodiscard]] int copyExtendedAttributes(int from, int to, std::string &failed);

} // namespace keyhold::command
