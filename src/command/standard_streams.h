// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold::command {

/// Keeps the numbers 0 to 2 from files that are opened later: those that are closed become
/// /dev/null, so that reading and writing them still fails. Raises fileAccess if it cannot be
/// opened. Call before anything else opens a file.
void keepStandardStreams();

} // namespace keyhold::command
