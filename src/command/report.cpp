// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/report.h"

namespace keyhold::command {

std::vector<Finding> Report::findings() const {
    std::vector<Finding> all = keys.findings;
    all.insert(all.end(), inspection.findings.begin(), inspection.findings.end());
    return all;
}

Report reportOn(const Target &target, const std::vector<std::string> &keyFiles) {
    Report report{target, findHolder(target.paths.stateDirectory), {}, {}};
    report.keys = readStoreKeys(target, report.holder, keyFiles);
    const AtRest &atRest = *report.keys.host.atRest;
    report.inspection =
        report.holder ? inspectBeside(target.paths, atRest) : inspect(target.paths, atRest);
    return report;
}

} // namespace keyhold::command
