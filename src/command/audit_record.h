// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "command/secret_name.h"

#include <optional>
#include <string>
#include <vector>

namespace keyhold::command {

/// Which records of a trail are wanted; what is empty does not count.
struct RecordFilter {
    std::string since; ///< as parseTrailTime() makes it
    std::string until; ///< records from then on are left out
    std::string action;
    std::string outcome;
    std::optional<SecretName> secret;
    std::string user;   ///< the name of a caller: of the user, of SASL or of a certificate
    std::string userId; ///< or the number of the user; empty if that is unknown
};

/// Raise invalidArgument for what no record has, with the nearest that some have.
void requireAction(const std::string &word);
void requireOutcome(const std::string &word);

/// The record of a line without its newline; empty if the line is none.
[[nodiscard]] std::optional<Json> parseRecord(std::string_view line);
[[nodiscard]] bool isWanted(const Json &record, const RecordFilter &filter);

/// The headings of a table of records, and the row of one.
[[nodiscard]] std::vector<std::string> recordHeadings();
[[nodiscard]] std::vector<std::string> rowOf(const Json &record);

} // namespace keyhold::command
