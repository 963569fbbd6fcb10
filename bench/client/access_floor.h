// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "client/connection.h"

namespace keyhold::bench {

/// The floors of count and list, in a process that has opened an embedded root: what libvirt itself
/// asks for each secret, without a driver around it. Its functions are private and found as the
/// driver finds them.
///   checks TIMES     seconds of one access check for each secret of the store
///   handles TIMES    seconds of one access check and one virGetSecret for each; freeing is not in
///   it
[[nodiscard]] Figures timeChecks(const Target &target, const Words &words);
[[nodiscard]] Figures timeHandles(const Target &target, const Words &words);

} // namespace keyhold::bench
