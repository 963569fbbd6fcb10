// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/check.h"

#include "command/json_stream.h"

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

std::string numberOfSecrets(const CheckedStore &store) {
    if (!store.inspection)
        return "its secrets cannot be counted";
    std::string text = counted(store.inspection->secrets, "secret");
    if (const std::size_t plain = store.inspection->plain.size(); plain > 0)
        text += ", " + std::to_string(plain) + " in plain";
    return text;
}

Json countsOf(const CheckedStore &store) {
    if (!store.inspection)
        return {};
    const Inspection &inspection = *store.inspection;
    return {{"secrets", inspection.secrets},       {"withoutValue", inspection.withoutValue.size()},
            {"unreadable", inspection.unreadable}, {"plain", inspection.plain.size()},
            {"aes256cbc", inspection.aes256cbc},   {"sealed", sealedIn(inspection)}};
}

Json jsonOf(const CheckedStore &store) {
    Json causes = Json::array();
    for (const Cause &cause : store.causes)
        causes.push_back({{"severity", severityName(severityOf(cause.first.kind))},
                          {"kind", findingKindName(cause.first.kind)},
                          {"count", cause.count},
                          {"text", textOf(cause)},
                          {"file", cause.first.file}});
    Json space;
    if (store.space)
        space = {{"freeBytes", store.space->bytes},
                 {"freeInodes", store.space->allInodes > 0 ? Json(store.space->inodes) : Json()}};
    return {{"instance", store.target.name()},
            {"directory", store.target.paths.configDirectory},
            {"status", severityName(store.severity())},
            {"counts", countsOf(store)},
            {"space", space},
            {"causes", causes}};
}

void printSeverity(std::string_view before, Severity severity, std::string_view after) {
    const Colour colour = severity == Severity::good       ? Colour::green
                          : severity == Severity::critical ? Colour::red
                                                           : Colour::yellow;
    printColoured(before, severityName(severity), colour, after);
}

} // namespace

void printChecked(const CheckedStore &store) {
    const auto add = [](Finding::Kind kind, const std::string &line) {
        printSeverity("", severityOf(kind), ": " + line);
    };
    if (store.findings) {
        for (const Finding &finding : *store.findings)
            add(finding.kind, textOf(finding));
    } else {
        for (const Cause &cause : store.causes)
            add(cause.first.kind, textOf(cause));
    }
    printSeverity(store.target.paths.configDirectory + ": ", store.severity(),
                  ", " + numberOfSecrets(store));
}

void printCheckedJson(const std::vector<CheckedStore> &stores) {
    const Severity severity = severityOf(stores);
    JsonStream json;
    json.openObject();
    json.put("schema", 1);
    json.put("status", severityName(severity));
    json.put("exit", static_cast<int>(severity));
    json.openArray("stores");
    for (const CheckedStore &store : stores) {
        json.openObject();
        const Json members = jsonOf(store);
        for (const auto &[name, value] : members.items())
            json.put(name.c_str(), value);
        if (store.findings) {
            json.openArray("findings");
            for (const Finding &finding : *store.findings)
                json.put(nullptr, jsonOf(finding));
            json.close();
        }
        json.close();
    }
    json.close();
    json.close();
}

} // namespace keyhold::command
