// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/age.h"
#include "command/cause.h"
#include "command/repeated_reasons.h"
#include "command/report.h"

#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

const char *driverName(Holder::Driver driver) {
    switch (driver) {
    case Holder::Driver::keyhold:
        return "keyhold";
    case Holder::Driver::other:
        return "other";
    case Holder::Driver::unknown:
        break;
    }
    return "unknown";
}

/// What the settings on disk ask for: "plain", "sealed" or "refused".
const char *newValuesBySettings(const SealingPolicy &policy, const Inspection &inspection) {
    const bool hasSealed = !inspection.sealed.empty() || inspection.aes256cbc > 0;
    if (policy.rules().isPlainByDefault && hasSealed)
        return "refused";
    if (!policy.rules().mustSeal)
        return "plain";
    return policy.keyring().current() ? "sealed" : "refused";
}

/// What becomes of a value that is set now; also "unknown", where a process holds the store that
/// does not say.
const char *newValuesOf(const Report &report) {
    if (!report.holder)
        return newValuesBySettings(*report.keys.host.policy, report.inspection);
    if (!report.driver.told)
        return "unknown";
    return DriverReport::nameOf(report.driver.told->report.newValues);
}

Json jsonOf(const Drift &drift) {
    if (!drift.unknown.empty())
        return {{"unknown", drift.unknown}};
    return {{"unknown", nullptr},
            {"unlisted", drift.unlisted.size()},
            {"withoutFile", drift.withoutFile.size()},
            {"withoutValue", drift.withoutValue.size()}};
}

Json jsonOf(const DriverView &view) {
    if (!view.told)
        return {{"unknown", view.unknown}};
    const DriverReport &report = view.told->report;
    Json counts;
    if (report.counts)
        counts = {{"secrets", report.counts->secrets},
                  {"ephemeral", report.counts->ephemeral},
                  {"withoutValue", report.counts->withoutValue},
                  {"unreadable", report.counts->unreadable},
                  {"plain", report.counts->plain},
                  {"aes256cbc", report.counts->aes256cbc},
                  {"sealed", report.counts->sealed},
                  {"unreadableByKey", report.counts->unreadableByKey}};
    Json last;
    if (report.lastReencryption)
        last = {{"ended", report.lastReencryption->ended},
                {"reencrypted", report.lastReencryption->reencrypted},
                {"failed", report.lastReencryption->failed}};
    return {{"unknown", nullptr},
            {"written", view.told->written},
            {"settingsRead", report.settingsRead},
            {"whyRefused", report.whyRefused},
            {"keys", report.keys},
            {"missingKeys", report.missingKeys},
            {"keyMemory", report.keyMemory},
            {"failure", report.failure},
            {"counts", counts},
            {"reencrypting", report.isReencrypting},
            {"toReencrypt", report.toReencrypt},
            {"lastReencryption", last}};
}

Json jsonOf(const Holder &holder) {
    return {{"pid", holder.pid},
            {"name", holder.name},
            {"driver", driverName(holder.driver)},
            {"moduleReplaced", holder.isModuleReplaced},
            {"keyMemory", holder.keyMemory}};
}

Json jsonOf(const Report &report) {
    const SealingPolicy &policy = *report.keys.host.policy;
    const Inspection &inspection = report.inspection;
    Json keys = Json::array();
    for (const Key &key : policy.keyring().keys())
        keys.push_back(key.id());
    Json sealed = Json::object();
    for (const auto &[keyId, count] : inspection.sealed)
        sealed[keyId] = count;
    std::vector<Finding> found = report.driverFindings;
    std::ranges::move(report.findings(), std::back_inserter(found));
    removeRepeatedReasons(found);
    Json causes = jsonOf(causesOf(found));
    Json findings = jsonOf(std::move(found));
    return {{"instance", report.target.name()},
            {"directory", report.target.paths.configDirectory},
            {"settings", report.target.paths.settingsFile},
            {"holder", report.holder ? jsonOf(*report.holder) : Json()},
            {"driverState", report.holder ? jsonOf(report.driver) : Json()},
            {"drift", report.holder ? jsonOf(report.drift) : Json()},
            {"newValues", newValuesOf(report)},
            {"newValuesBySettings", newValuesBySettings(policy, inspection)},
            {"currentKey",
             policy.keyring().current() ? Json(policy.keyring().current()->id()) : Json()},
            {"keys", keys},
            {"secrets", inspection.secrets},
            {"withoutValue", inspection.withoutValue.size()},
            {"plain", inspection.plain.size()},
            {"aes256cbc", inspection.aes256cbc},
            {"sealed", sealed},
            {"unreadable", inspection.unreadable},
            {"outdated", inspection.reencryptable.size()},
            {"findings", std::move(findings)},
            {"causes", std::move(causes)}};
}

void printLine(const char *label, const std::string &text) {
    constexpr std::size_t kWidth = 16;
    std::string line = "  " + std::string(label);
    line.resize(std::max(line.size() + 1, kWidth), ' ');
    print(line + text);
}

void printHolder(const Report &report) {
    if (!report.holder)
        return printLine("in use by", "nobody");
    const Holder &holder = *report.holder;
    std::string text = holder.text();
    if (holder.driver == Holder::Driver::keyhold)
        text += ", with Keyhold";
    if (holder.driver == Holder::Driver::other)
        text += ", with another driver than Keyhold";
    if (holder.isModuleReplaced)
        text += "; its module was replaced: restart it";
    printLine("in use by", text);
    if (holder.driver == Holder::Driver::other)
        return;
    printLine("key memory", holder.keyMemory.empty() ? "unknown" : holder.keyMemory);
}

std::string aboutKey(const Keyring &keyring, const std::string &keyId) {
    if (keyId.empty())
        return "an unknown key";
    const Key *current = keyring.current();
    if (current && current->id() == keyId)
        return "key " + keyId + " (current)";
    return "key " + keyId + (keyring.find(keyId) ? " (earlier)" : " (not configured)");
}

void printLastReencryption(const ToldState &told) {
    const auto &last = told.report.lastReencryption;
    if (!last)
        return;
    constexpr std::int64_t kSecond = 1'000'000'000; // nanoseconds
    std::string text = std::to_string(last->reencrypted) + " by " + timeText(last->ended * kSecond);
    if (last->failed > 0)
        text += ", " + std::to_string(last->failed) + " failed";
    printLine("re-encrypted", text);
}

void printText(const Report &report, bool isVerbose) {
    const SealingPolicy &policy = *report.keys.host.policy;
    const Inspection &inspection = report.inspection;
    print(std::string(report.target.name()) + ": " + report.target.paths.configDirectory);
    printHolder(report);
    const std::string bySettings = newValuesBySettings(policy, inspection);
    std::string newValues = newValuesOf(report);
    if (report.holder && !report.driver.told)
        newValues += ": " + report.driver.unknown;
    else if (newValues != bySettings)
        newValues += " (by the settings on disk: " + bySettings + ")";
    printLine("new values", newValues);
    printLine("secrets", std::to_string(inspection.secrets));
    const auto count = [](const char *label, std::size_t number) {
        if (number > 0)
            printLine(label, std::to_string(number));
    };
    count("without value", inspection.withoutValue.size());
    count("plain", inspection.plain.size());
    count("aes256cbc", inspection.aes256cbc);
    for (const auto &[keyId, number] : inspection.sealed)
        printLine("sealed", std::to_string(number) + " with " + aboutKey(policy.keyring(), keyId));
    count("unreadable", inspection.unreadable);
    count("to re-encrypt", inspection.reencryptable.size());
    if (report.driver.told)
        printLastReencryption(*report.driver.told);
    if (!report.drift.unknown.empty())
        printLine("drift", "unknown: " + report.drift.unknown);
    std::vector<Finding> findings = report.driverFindings;
    std::ranges::move(report.findings(), std::back_inserter(findings));
    std::erase_if(findings, [](const Finding &finding) {
        using Kind = Finding::Kind;
        return finding.kind != Kind::store && finding.kind != Kind::driver &&
               finding.kind != Kind::otherDriver && finding.kind != Kind::drift &&
               finding.kind != Kind::refused && finding.kind != Kind::settings &&
               finding.kind != Kind::unfinished && !isUnreadable(finding.kind);
    });
    removeRepeatedReasons(findings);
    printCauses(findings, isVerbose, "  ");
}

} // namespace

Exit status(const ReportOptions &options) {
    tellReports(options,
                {[](const Report &report) { return jsonOf(report); },
                 [&](const Report &report) { printText(report, options.isVerbose); }, true});
    return Exit::clean;
}

} // namespace keyhold::command
