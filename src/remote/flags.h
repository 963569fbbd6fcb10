// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/source_place.h"

namespace keyhold {

/// Raises ErrorAlreadyRaised if `flags` has a bit outside `supported`, with libvirt's own error for
/// it: the text names the unknown bits and the stock driver's function behind this entry. `place`
/// is for libvirt's log.
void requireFlags(unsigned int flags, unsigned int supported, const char *function,
                  SourcePlace place = SourcePlace::current());

} // namespace keyhold
