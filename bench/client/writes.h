// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "client/connection.h"

#include <cstdint>
#include <functional>

namespace keyhold::bench {

///   write OPERATION TIMES WRITERS    seconds a change (of all writers together)
/// OPERATION: define, redefine, set, undefine (in this order they leave the store as it was: each
/// writer has TIMES secrets of its own, which the first of them makes), ephemeral (define and
/// undefine of one), and for secrets of the store itself, one a writer: redefine-one, set-one.
[[nodiscard]] Figures writeRepeatedly(const Target &target, const Words &words);

/// Sets the value of the last secret of the store again, to what it is.
void setOne(virSecretPtr secret, std::uint64_t number);

} // namespace keyhold::bench
