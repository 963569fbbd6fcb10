// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/drift.h"
#include "command/exchanged_key.h"
#include "command/finding.h"
#include "command/output.h"
#include "command/store_keys.h"
#include "command/target.h"
#include "command/told_state.h"
#include "directory/inspection.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// All that can be seen of one store.
struct Report {
    Target target;
    std::optional<Holder> holder; ///< empty if nobody has it open
    StoreKeys keys;
    std::optional<Finding> lostStore;
    Inspection inspection; ///< by the rules of its secret.conf
    std::optional<Finding> unfinished;
    DriverView driver;
    std::optional<ExchangedKey> exchanged;
    /// What the holder does not do as the disk says: apart from findings(), which are of files.
    std::vector<Finding> driverFindings;
    Drift drift; ///< where the format asks for it

    /// Those of the directory and the settings first.
    [[nodiscard]] std::vector<Finding> findings() const;
};

/// Changes nothing. Raises fileAccess or systemCall if the store cannot be read.
[[nodiscard]] Report reportOn(const Target &target, const std::vector<std::string> &keyFiles);

/// A report for a program, and for people.
struct ReportFormat {
    std::function<Json(const Report &)> json;
    std::function<void(const Report &)> print;
    bool asksDaemon = false; ///< what it lists
};

struct ReportOptions {
    TargetChoice target;
    std::vector<std::string> keyFiles; ///< more keys to open values with
    bool json = false;
    bool isVerbose = false; ///< a line a file, where one a cause would do
};

/// Reports on each store that was asked for.
void tellReports(const ReportOptions &options, const ReportFormat &format);

/// `keyhold status`: prints what stores hold. Findings do not change how it exits.
[[nodiscard]] Exit status(const ReportOptions &options);
/// `keyhold verify`: prints what is wrong with stores, and exits by it.
[[nodiscard]] Exit verify(const ReportOptions &options);

} // namespace keyhold::command
