// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/check_findings.h"
#include "command/output.h"

#include <string>
#include <vector>

namespace keyhold::command {

enum class CheckForm { text, json, nagios, prometheus };

struct CheckOptions {
    TargetChoice target;
    std::vector<std::string> keyFiles;
    CheckForm form = CheckForm::text;
    std::string owner; ///< --expect-owner: a name or a number; empty if not given
    std::string mode;  ///< --expect-mode: octal; empty if not given
    bool isVerbose = false;
};

/// `keyhold check`: says what is wrong with stores, and exits with Severity.
[[nodiscard]] Exit check(const CheckOptions &options);

/// Raises invalidArgument.
[[nodiscard]] Expectations expectationsOf(const CheckOptions &options);

/// The lines of each form. Those of text and JSON have the findings of a store, if it has them.
void printChecked(const CheckedStore &store);
void printCheckedJson(const std::vector<CheckedStore> &stores);
/// Monitoring Plugins Development Guidelines.
[[nodiscard]] std::string nagiosText(const std::vector<CheckedStore> &stores);
/// The text format of Prometheus. What is unknown is not there.
[[nodiscard]] std::string prometheusText(const std::vector<CheckedStore> &stores);
[[nodiscard]] Severity severityOf(const std::vector<CheckedStore> &stores) noexcept;

} // namespace keyhold::command
