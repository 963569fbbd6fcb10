// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold {

/// What becomes of the inhibit callback that libvirt hands to the module's stateInitialize. In
/// embedded mode it is NULL, and libvirt 9.0.0's own module calls it all the same. This program
/// defines virStateInitialize before libvirt does, through which libvirt passes the callback.
namespace inhibit {

enum class Mode {
    leaveNull, ///< as libvirt does
    count,     ///< a callback that records its calls
};

/// For this process, before anything is opened. Without a call, KEYHOLD_TEST_INHIBIT=count in the
/// environment means count, else leaveNull.
void choose(Mode mode);

/// The arguments of the calls since the last time, for example "true true false", or "none".
[[nodiscard]] std::string takeCalls();

} // namespace inhibit
} // namespace keyhold
