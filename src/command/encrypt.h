// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "command/target.h"

#include <functional>
#include <string>
#include <vector>

namespace keyhold::command {

enum class EncryptStep { on, off, rotate };

struct EncryptOptions {
    EncryptStep step = EncryptStep::on;
    TargetChoice target;
    std::vector<std::string> keyFiles; ///< at most one: the key to make, or to take if it is there
    bool json = false;
    std::function<bool()> isStopped;
};

/// `keyhold encrypt`: key, settings, daemon and values, one after the other. Each step looks at
/// what is and does what is left, so that after an interruption anywhere the same command goes on.
/// Raises what keeps it from beginning.
[[nodiscard]] Exit encrypt(const EncryptOptions &options);

} // namespace keyhold::command
