// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold {

/// Raises ErrorAlreadyRaised if `flags` has a bit outside `supported`, with libvirt's own error for
/// it: the text names the unknown bits and the stock driver's function behind this entry.
void requireFlags(unsigned int flags, unsigned int supported, const char *function);

} // namespace keyhold
