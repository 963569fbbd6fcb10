// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/uuid.h"

namespace keyhold {

/// One line at level info in libvirt's log for each change of a secret and each value read: which
/// secret, what, and who called. It is one comparison where the level is off, as it is by default.
/// Raises nothing: what was done is done, whether or not it could be noted.
void noteCall(const Uuid &uuid, const char *what);

} // namespace keyhold
