// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/convert.h"

#include "conf/error.h"
#include "directory/inspection.h"
#include "os/store_lock.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

/// What an administrator must know after a conversion; `verify` reports the rest.
bool isOfInterest(const Finding &finding) {
    return isUnreadable(finding.kind) || finding.kind == Finding::Kind::shadowed;
}

const char *doneWord(Purpose purpose) {
    return purpose == Purpose::unseal ? "written in plain" : "sealed with the current key";
}

std::string countText(std::size_t count) {
    return std::to_string(count) + (count == 1 ? " value" : " values");
}

struct Outcome {
    std::size_t converted = 0;
    std::size_t remaining = 0; ///< could be read, and still have another format
    std::vector<Finding> findings;
    std::string advice;
};

Outcome outcomeOf(Conversion &conversion, const Inspection &after, const HostKeys &keys) {
    Outcome outcome;
    outcome.remaining = after.reencryptable.size();
    outcome.converted = conversion.total - std::min(conversion.total, outcome.remaining);
    outcome.findings = std::move(conversion.failures);
    std::ranges::copy_if(inWords(after.findings, conversion.target.paths.configDirectory),
                         std::back_inserter(outcome.findings), isOfInterest);
    if (outcome.remaining == 0 && outcome.findings.empty())
        outcome.advice = adviceAfter(conversion.purpose, keys.settings, keys.plan,
                                     conversion.target.paths.settingsFile);
    return outcome;
}

void printText(const Conversion &conversion, const Outcome &outcome) {
    const std::string &directory = conversion.target.paths.configDirectory;
    if (conversion.total == 0)
        print("nothing to do in " + inQuotes(directory));
    else
        print(countText(outcome.converted) + " in " + inQuotes(directory) + " " +
              doneWord(conversion.purpose));
    if (outcome.remaining > 0)
        print(countText(outcome.remaining) + " left as before; run keyhold " +
              purposeName(conversion.purpose) + " again to go on");
    for (const Finding &finding : outcome.findings)
        print(textOf(finding));
    if (!outcome.advice.empty())
        tell(outcome.advice);
}

void printOutcome(const Conversion &conversion, const Outcome &outcome) {
    Json findings = Json::array();
    for (const Finding &finding : outcome.findings)
        findings.push_back(jsonOf(finding));
    printJson({{"operation", purposeName(conversion.purpose)},
               {"directory", conversion.target.paths.configDirectory},
               {"converted", outcome.converted},
               {"remaining", outcome.remaining},
               {"advice", outcome.advice},
               {"findings", findings}});
}

} // namespace

Exit convert(Purpose purpose, const ConvertOptions &options) {
    const Target target = chooseTarget(options.target);
    auto holder = findHolder(target.paths);
    // A tool has the directory alone for a moment, and convertAlone() waits for it.
    if (holder && !holder->hasPidFile && holder->driver == Holder::Driver::unknown)
        holder.reset();
    const StoreKeys keys = readStoreKeys(target, holder, options.keyFiles);
    const auto rules = rulesFor(purpose, keys.host, target.paths.settingsFile);
    Conversion conversion{purpose,           target, withRules(*keys.host.policy, rules),
                          options.isStopped, 0,      {}};
    for (const Finding &finding : keys.findings)
        tell(finding.text);
    if (holder)
        convertBeside(conversion, *holder, keys.host);
    else
        convertAlone(conversion);
    const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
    const Inspection after = holder ? inspectBeside(directory, *conversion.policy)
                                    : inspect(directory, *conversion.policy);
    const Outcome outcome = outcomeOf(conversion, after, keys.host);
    if (options.json)
        printOutcome(conversion, outcome);
    else
        printText(conversion, outcome);
    if (outcome.remaining > 0)
        return Exit::failure;
    return outcome.findings.empty() ? Exit::clean : Exit::findings;
}

} // namespace keyhold::command
