// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/report.h"

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

Json jsonOf(const Report &report, const std::vector<Finding> &findings) {
    Json list = Json::array();
    for (const Finding &finding : findings)
        list.push_back(jsonOf(finding));
    return {{"instance", report.target.name()},
            {"directory", report.target.paths.configDirectory},
            {"secrets", report.inspection.secrets},
            {"unreadable", report.inspection.unreadable},
            {"findings", list}};
}

void printText(const Report &report, const std::vector<Finding> &findings) {
    for (const Finding &finding : findings)
        print(textOf(finding));
    const std::size_t secrets = report.inspection.secrets;
    print(report.target.paths.configDirectory + ": " + std::to_string(secrets) +
          (secrets == 1 ? " secret, " : " secrets, ") + std::to_string(findings.size()) +
          (findings.size() == 1 ? " finding" : " findings"));
}

} // namespace

Exit verify(const ReportOptions &options) {
    Exit exit = Exit::clean;
    Json stores = Json::array();
    const std::vector<Target> targets = chooseTargets(options.target);
    if (targets.empty() && !options.json)
        print("there is no store of secrets here yet");
    for (const Target &target : targets) {
        const Report report = reportOn(target, options.keyFiles);
        const std::vector<Finding> findings = report.findings();
        if (!findings.empty())
            exit = Exit::findings;
        if (options.json)
            stores.push_back(jsonOf(report, findings));
        else
            printText(report, findings);
    }
    if (options.json)
        printJson({{"stores", stores}});
    return exit;
}

} // namespace keyhold::command
