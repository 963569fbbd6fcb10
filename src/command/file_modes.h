// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"
#include "host/instance_paths.h"

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace keyhold::command {

/// Whose the files of a store should be, and who may use them.
struct ExpectedModes {
    std::vector<uid_t> owners{0}; ///< any of them; the first is the one to change to
    /// Of the store's directory, exactly; its files may be open to whom it lets in. Without it
    /// the directory is open to its owner alone.
    std::optional<mode_t> mode;
};

/// The owners and the modes of a store: of its directory and of all files in it. What goes in the
/// meantime is none. Raises fileAccess if it cannot be listed.
[[nodiscard]] std::vector<Finding> storeModes(const std::string &directory,
                                              const ExpectedModes &expected);
/// Of a file that others may read and only its owner may change, such as secret.conf; nothing if
/// it is not there.
[[nodiscard]] std::vector<Finding> fileModes(const std::string &path, Finding::Kind kind,
                                             const ExpectedModes &expected);

/// The directories above a file, or above the place where one would be, in which others can write,
/// so that they can exchange it. A sticky one counts where the file is right in it.
[[nodiscard]] std::vector<std::string> writableAbove(const std::string &path);
/// Those above a store and its settings.
[[nodiscard]] std::vector<Finding> parentModes(const InstancePaths &paths);

} // namespace keyhold::command
