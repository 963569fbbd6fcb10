// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/caller.h"

#include <optional>
#include <string>

namespace keyhold {

namespace caller {

/// The caller of this thread. Nobody where threads have no identity, as in a program that embeds
/// libvirt: the program itself calls. Raises no libvirt error and leaves the one that is set.
[[nodiscard]] std::optional<Caller> current();

/// The API of libvirt that this thread works for, such as "remoteDispatchDomainCreate"; empty where
/// libvirt does not say.
[[nodiscard]] std::string job();

/// One line for people, of printable ASCII: what could end the line or be taken for its
/// punctuation is written as \xNN.
[[nodiscard]] std::string describe(const std::optional<Caller> &caller);

} // namespace caller

} // namespace keyhold
