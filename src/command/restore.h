// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "command/restore_plan.h"
#include "command/target.h"

#include <functional>
#include <string>
#include <vector>

namespace keyhold::command {

struct RestoreOptions {
    TargetChoice target;
    std::vector<std::string> keyFiles; ///< more keys to open values with
    bool json = false;
    std::string file;
    std::vector<std::string> uuids; ///< all if empty
    bool replaces = false;
    bool applies = false;
    /// Asked between two secrets; once it answers true, the rest is left.
    std::function<bool()> isStopped;
};

/// `keyhold restore`: says what an archive would change in a store, and changes it if asked to, as
/// a client of the driver would. Whenever it ends, each secret is the former or the new one, and
/// the next run goes on. Raises what keeps it from beginning.
[[nodiscard]] Exit restore(const RestoreOptions &options);

/// Says what is, or was, done. `done` secrets were written.
void printRestore(const RestorePlan &plan, const RestoreOptions &options, std::size_t done);
[[nodiscard]] Json jsonOfRestore(const RestorePlan &plan, const RestoreOptions &options,
                                 std::size_t done);

} // namespace keyhold::command
