// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/file_modes.h"
#include "command/free_space.h"
#include "command/report.h"
#include "command/severity.h"

#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// What `check` is told beside the store.
struct Expectations {
    std::optional<uid_t> owner;
    std::optional<mode_t> mode;
    bool wantsFindings = false; ///< a line a file
};

/// All that can be known of one store. What is empty could not be seen.
struct CheckedStore {
    Target target;
    std::optional<Holder> holder;
    std::optional<Inspection> inspection;
    std::optional<FreeSpace> space;
    std::vector<Cause> causes;                    ///< the worst first
    std::optional<std::vector<Finding>> findings; ///< the same, one a file; where they are wanted

    [[nodiscard]] Severity severity() const noexcept { return worstOf(causes); }
};

/// Changes nothing, and raises nothing about the store: what cannot be seen is a cause.
[[nodiscard]] CheckedStore checkStore(const Target &target,
                                      const std::vector<std::string> &keyFiles,
                                      const Expectations &expectations);

/// Whether new values are refused by the settings on disk.
[[nodiscard]] std::optional<Finding> refusedFinding(const SealingPolicy &policy,
                                                    const Inspection &inspection);
/// What the keys and the rules of a store say of the values in it, each with a count.
[[nodiscard]] std::vector<Cause> valueCauses(const HostKeys &keys, const Inspection &inspection);
/// Files that count for nothing and may hold a value in plain are findings of another kind.
void notePlainCopies(std::vector<Finding> &findings);
/// These alone, and those of foreignFiles().
[[nodiscard]] std::vector<Finding> plainCopiesIn(const StoreDirectory &directory,
                                                 const Inspection &inspection, const KeyPlan &plan);

} // namespace keyhold::command
