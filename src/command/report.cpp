// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/report.h"

#include "command/lost_store.h"
#include "command/unfinished.h"
#include "os/retry.h"

#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

/// More than the second in which a driver writes no second report.
constexpr std::chrono::milliseconds kReportPatience{1500};

/// The values that the files do not give and the daemon has read before. By the driver's own
/// counts, so only where these are of the secrets that the files define.
void noteServedValues(const Report &report, std::vector<Finding> &findings) {
    if (!report.driver.told || !report.driver.told->report.counts)
        return;
    const DriverReport::Counts &counts = *report.driver.told->report.counts;
    if (counts.secrets - counts.ephemeral != report.inspection.secrets)
        return;
    const auto &byKey = counts.unreadableByKey;
    const bool knowsEachKey = byKey.size() < DriverReport::kMaxMissingKeys;
    for (Finding &finding : findings) {
        using Kind = Finding::Kind;
        const bool isOfAValue = isUnreadable(finding.kind) && finding.kind != Kind::definition;
        const bool isServed = counts.unreadable == 0 || (!finding.keyId.empty() && knowsEachKey &&
                                                         !byKey.contains(finding.keyId));
        if (!isOfAValue || finding.file.empty() || !isServed)
            continue;
        const std::string served = "; " + report.holder->text() +
                                   " still serves the value that it read before, until it ends";
        finding.text += served;
        if (!finding.cause.empty())
            finding.cause += served;
    }
}

} // namespace

std::vector<Finding> Report::findings() const {
    std::vector<Finding> all = keys.findings;
    if (lostStore)
        all.insert(all.begin(), *lostStore);
    if (unfinished)
        all.push_back(*unfinished);
    std::ranges::move(inWords(inspection.findings, target.paths.configDirectory),
                      std::back_inserter(all));
    if (exchanged)
        explainExchangedKey(*exchanged, all);
    noteServedValues(*this, all);
    return all;
}

Report reportOn(const Target &target, const std::vector<std::string> &keyFiles) {
    Report report;
    report.target = target;
    report.holder = findHolder(target.paths);
    report.keys = readStoreKeys(target, report.holder, keyFiles);
    report.driver = viewDriver(target, report.holder);
    // A daemon that is just told to reload reads and reports within moments.
    for (const Retry retry = retryFor(kReportPatience);
         report.driver.told && !hasReadSettings(*report.driver.told) && retry();)
        report.driver = viewDriver(target, report.holder);
    report.lostStore = lostStore(target, report.holder);
    if (!report.lostStore || exists(target)) {
        const SealingPolicy &policy = *report.keys.host.policy;
        const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
        report.inspection =
            report.holder ? inspectBeside(directory, policy) : inspect(directory, policy);
        reconcileSameUses(target, report.holder, report.inspection);
        if (report.holder && report.holder->driver == Holder::Driver::other)
            report.inspection.unreadable = report.inspection.unreadableByStock;
        report.exchanged = findExchangedKey(target, report.keys, report.inspection, report.driver);
    }
    // With the wrong key in place, a reload would have the daemon drop the right one.
    report.driverFindings = driverFindings(target, report.holder, report.driver, report.keys,
                                           report.inspection, !report.exchanged.has_value());
    if (!report.lostStore)
        report.unfinished =
            unfinishedChange(target, report.driver, report.keys.host, report.inspection);
    return report;
}

void tellReports(const ReportOptions &options, const ReportFormat &format) {
    Json stores = Json::array();
    const std::vector<Target> targets = chooseTargets(options.target);
    if (targets.empty() && !options.json)
        print("there is no store of secrets here yet");
    for (const Target &target : targets) {
        Report report = reportOn(target, options.keyFiles);
        if (format.asksDaemon) {
            report.drift = findDrift(target, report.holder, report.driver, report.inspection);
            std::ranges::move(driftFindings(report.drift, target, report.holder),
                              std::back_inserter(report.driverFindings));
        }
        if (options.json)
            stores.push_back(format.json(report));
        else
            format.print(report);
    }
    if (options.json)
        printJson({{"schema", 1}, {"stores", stores}});
}

} // namespace keyhold::command
