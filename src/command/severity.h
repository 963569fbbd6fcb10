// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/cause.h"

#include <vector>

namespace keyhold::command {

/// How bad something is, with the numbers that monitoring plugins exit with.
enum class Severity : int { good = 0, warning = 1, critical = 2, unknown = 3 };

/// "ok", "warning", "critical", "unknown".
[[nodiscard]] const char *severityName(Severity severity) noexcept;
[[nodiscard]] Severity severityOf(Finding::Kind kind) noexcept;
/// What is unknown may be critical, so only critical goes before it.
[[nodiscard]] Severity worst(Severity a, Severity b) noexcept;
[[nodiscard]] Severity worstOf(const std::vector<Cause> &causes) noexcept;
/// The worst first; among equals the order stays.
void sortBySeverity(std::vector<Cause> &causes);
void sortBySeverity(std::vector<Finding> &findings);

} // namespace keyhold::command
