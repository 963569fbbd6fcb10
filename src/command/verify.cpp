// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/cause.h"
#include "command/repeated_reasons.h"
#include "command/report.h"

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

Json jsonOf(const Report &report, std::vector<Finding> &&findings) {
    Json causes = jsonOf(causesOf(findings));
    return {{"instance", report.target.name()},
            {"directory", report.target.paths.configDirectory},
            {"secrets", report.inspection.secrets},
            {"unreadable", report.inspection.unreadable},
            {"findings", jsonOf(std::move(findings))},
            {"causes", std::move(causes)}};
}

void printText(const Report &report, const std::vector<Finding> &findings, bool isVerbose) {
    printCauses(findings, isVerbose);
    print(report.target.paths.configDirectory + ": " +
          counted(report.inspection.secrets, "secret") + ", " +
          counted(findings.size(), "finding"));
}

} // namespace

Exit verify(const ReportOptions &options) {
    Exit exit = Exit::clean;
    const auto noted = [&](const Report &report) {
        std::vector<Finding> findings = report.findings();
        removeRepeatedReasons(findings);
        if (!findings.empty())
            exit = Exit::findings;
        return findings;
    };
    tellReports(options, {[&](const Report &report) { return jsonOf(report, noted(report)); },
                          [&](const Report &report) {
                              printText(report, noted(report), options.isVerbose);
                          }});
    return exit;
}

} // namespace keyhold::command
