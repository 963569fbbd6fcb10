// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/finding.h"
#include "command/holder.h"
#include "command/store_keys.h"
#include "command/target.h"
#include "directory/inspection.h"
#include "host/driver_report.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace keyhold::command {

/// What a driver at work says of itself (docs/driver-report.schema.json).
struct ToldState {
    pid_t pid = 0; ///< in its own pid namespace
    std::uint64_t processStarted = 0;
    std::int64_t written = 0; ///< seconds since the epoch
    DriverReport report;
};

/// Raises internal, with the reason, if the text is not of a version that is known.
[[nodiscard]] ToldState toldStateOf(const std::string &text);

/// Whether the file of settings is still the one that the driver has read.
[[nodiscard]] bool hasReadSettings(const ToldState &told);

/// What is known of the driver that holds a store.
struct DriverView {
    std::optional<ToldState> told; ///< believed: the process that wrote it holds the lock
    std::string unknown;           ///< why there is none; empty if nobody holds the store
};

/// The process that a file of it can be believed of, by the texts of proc(5).
struct ProcessIdentity {
    pid_t innermost = 0;       ///< the last of NSpid
    std::uint64_t started = 0; ///< field 22 of stat

    bool operator==(const ProcessIdentity &) const = default;
};
[[nodiscard]] ProcessIdentity identityIn(const std::string &status, const std::string &stat);

/// Looks for the file of the driver that holds the store. Never raises for what it finds there.
[[nodiscard]] DriverView viewDriver(const Target &target, const std::optional<Holder> &holder);

/// What differs between what the driver does and what is on disk now. What a reload would mend is
/// left out unless it is `mayReload`.
[[nodiscard]] std::vector<Finding> driverFindings(const Target &target,
                                                  const std::optional<Holder> &holder,
                                                  const DriverView &view, const StoreKeys &keys,
                                                  const Inspection &inspection, bool mayReload);

} // namespace keyhold::command
