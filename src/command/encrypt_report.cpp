// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/encrypt_report.h"

#include "command/cause.h"

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

const char *settingsName(Daemon::Settings settings) {
    switch (settings) {
    case Daemon::Settings::read:
        return "read";
    case Daemon::Settings::unread:
        return "unread";
    case Daemon::Settings::ended:
        return "ended";
    case Daemon::Settings::unknown:
        break;
    }
    return "unknown";
}

void printAsJson(const EncryptResult &result, const Inspection &inspection) {
    Json findings = Json::array();
    for (const Finding &finding : result.outcome.findings)
        findings.push_back(jsonOf(finding));
    for (const Finding &finding : result.plainCopies)
        findings.push_back(jsonOf(finding));
    const std::size_t sealed = sealedIn(inspection);
    const Json key =
        result.keyFile.empty()
            ? Json()
            : Json{{"file", result.keyFile}, {"id", result.keyId}, {"made", result.isKeyMade}};
    printJson({{"operation", stepName(result.step)},
               {"directory", result.target.paths.configDirectory},
               {"settings", result.target.paths.settingsFile},
               {"key", key},
               {"daemon", result.daemon ? Json(settingsName(*result.daemon)) : Json()},
               {"converted", result.outcome.converted},
               {"remaining", result.outcome.remaining},
               {"sealed", sealed},
               {"plain", inspection.plain.size()},
               {"unreadable", inspection.unreadable},
               {"advice", result.advice},
               {"findings", findings}});
}

void printText(const EncryptResult &result, const Inspection &inspection) {
    const std::size_t sealed = sealedIn(inspection);
    print(counted(result.outcome.converted, "value") + " re-encrypted; " + std::to_string(sealed) +
          " sealed, " + std::to_string(inspection.plain.size()) + " plain, " +
          std::to_string(inspection.unreadable) + " unreadable");
    printCauses(result.outcome.findings, false);
    printCauses(result.plainCopies, false);
    for (const std::string &advice : result.advice)
        tell(advice);
}

} // namespace

const char *stepName(EncryptStep step) {
    switch (step) {
    case EncryptStep::on:
        return "on";
    case EncryptStep::off:
        return "off";
    case EncryptStep::rotate:
        break;
    }
    return "rotate";
}

void printEncryption(const EncryptResult &result, const Inspection &inspection, bool json) {
    if (json)
        printAsJson(result, inspection);
    else
        printText(result, inspection);
}

} // namespace keyhold::command
