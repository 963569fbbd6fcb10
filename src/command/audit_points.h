// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/chain.h"

#include <string>
#include <vector>

namespace keyhold::command {

/// A head as verify prints it and as the journal has it: SEQUENCE:HEX, the chain of that record.
/// Raises invalidArgument.
[[nodiscard]] audit::Head parseHead(const std::string &text);
[[nodiscard]] std::string textOf(const audit::Head &head);

/// Keys as `keyhold audit init` prints them, SEQUENCE:HEX: those that were given, and those in a
/// file, one a line ("-": standard input; empty: no file). In the order of their sequences. Raises
/// invalidArgument for what is none, which is not repeated, and fileAccess.
[[nodiscard]] std::vector<audit::SealingKey> readTrailKeys(const std::vector<std::string> &given,
                                                           const std::string &file);

} // namespace keyhold::command
