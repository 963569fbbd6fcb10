// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"
#include "command/holder.h"
#include "command/output.h"
#include "command/purpose.h"
#include "command/store_keys.h"
#include "command/target.h"
#include "os/file_system.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace keyhold::command {

class SettingsEditor;

/// The arguments of `seal`, `rekey` and `unseal`.
struct ConvertOptions {
    TargetChoice target;
    std::vector<std::string> keyFiles; ///< more keys to open values with
    bool json = false;
    /// Asked between two values; once it answers true, the rest is left.
    std::function<bool()> isStopped;
};

/// Makes all values of one store what `purpose` wants, and says what came of it: by itself with the
/// store's lock, or through the daemon that holds the store. Whenever it ends, each value is there,
/// in its former format or the new one; the next run goes on. Raises what keeps it from beginning.
[[nodiscard]] Exit convert(Purpose purpose, const ConvertOptions &options);

/// A conversion at work: `total` values had another format when it began.
struct Conversion {
    Purpose purpose;
    const Target &target;
    std::shared_ptr<const SealingPolicy> policy; ///< under the rules for the purpose
    const std::function<bool()> &isStopped;
    std::size_t total = 0;
    std::vector<Finding> failures; ///< of kind unchanged
    bool goesOn = false;           ///< it was stopped, and the daemon does the rest by itself
};

/// Takes the locks of the store and writes its values, all in the one directory that it opens.
/// Raises LockedError.
void convertAlone(Conversion &conversion, FileSystem &fileSystem = posixFileSystem());
/// Has the daemon do it: raises configUnsupported if it is none that would; writes to the settings
/// what makes it, for as long as it takes; sends SIGHUP and looks at the files until nothing is
/// left to do or nothing happens any more. `keys` are those that the settings name. `editor` is
/// that of the caller, or null.
void convertBeside(Conversion &conversion, const Holder &holder, const HostKeys &keys,
                   SettingsEditor *editor);

/// What came of a conversion.
struct Outcome {
    std::size_t total = 0;
    std::size_t converted = 0;
    std::size_t remaining = 0; ///< could be read, and still have another format
    bool goesOn = false;       ///< as Conversion::goesOn
    std::vector<Finding> findings;
    std::string advice;
};
/// As convert(), saying nothing of the outcome.
[[nodiscard]] Outcome convertStore(Purpose purpose, const Target &target,
                                   const std::vector<std::string> &keyFiles,
                                   const std::function<bool()> &isStopped, SettingsEditor *editor);

} // namespace keyhold::command
