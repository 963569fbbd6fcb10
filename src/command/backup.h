// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "command/target.h"

#include <functional>
#include <string>
#include <vector>

namespace keyhold::command {

struct BackupOptions {
    TargetChoice target;
    std::vector<std::string> keyFiles; ///< more keys to open values with
    bool json = false;
    std::string file; ///< "-" for standard output
    bool withPlain = false;
    bool replacesFile = false;
    bool isVerbose = false; ///< name the secrets without a value
    /// Asked between two secrets; once it answers true, the backup is given up.
    std::function<bool()> isStopped;
};

/// `keyhold backup`: writes what a store holds to an archive (docs/backup.md), beside whoever has
/// it open, and says what is left out. Raises what keeps it from being whole, and leaves no file
/// then.
[[nodiscard]] Exit backup(const BackupOptions &options);

} // namespace keyhold::command
