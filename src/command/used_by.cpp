// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/host_users.h"
#include "command/secrets.h"
#include "conf/error.h"

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

Json jsonOf(const UsedSecret &used) {
    Json users = Json::array();
    for (const SecretUser &user : used.users)
        users.push_back(jsonOf(user));
    const bool hasUsage = used.usage.type != UsageType::none;
    return {{"uuid", used.name.uuid ? Json(used.name.uuid->toString()) : Json()},
            {"usageType", hasUsage ? Json(usageWords(used.usage.type).type) : Json()},
            {"usageId", hasUsage ? Json(used.usage.id) : Json()},
            {"missing", used.isMissing},
            {"users", users}};
}

std::string headOf(const UsedSecret &used) {
    std::string head = used.name.text();
    if (used.name.uuid && used.usage.type != UsageType::none)
        head += " (" + usageText(used.usage) + ")";
    if (used.isMissing)
        return "missing: " + head + " is used, and there is no such secret";
    return head + (used.users.empty() ? ": nothing uses it" : "");
}

void printText(const std::vector<UsedSecret> &all) {
    if (all.empty())
        print("nothing uses a secret");
    for (const UsedSecret &used : all) {
        print(headOf(used));
        for (const SecretUser &user : used.users)
            print("  " + textOf(user));
    }
}

} // namespace

Exit usedBy(const UsersOptions &options) {
    std::optional<SecretName> only;
    if (!options.secret.empty())
        only = parseSecretName(options.secret);
    Exit exit = Exit::clean;
    Json views = Json::array();
    const auto uris = connectionsFor(options.target, options.connections);
    bool isFound = false;
    for (const std::string &uri : uris) {
        const std::vector<UsedSecret> all = usedSecrets(lookAtHost(uri), only);
        Json secrets = Json::array();
        for (const UsedSecret &used : all) {
            secrets.push_back(jsonOf(used));
            isFound = true;
            if (used.isMissing)
                exit = Exit::findings;
        }
        views.push_back({{"connection", uri}, {"secrets", secrets}});
        if (options.json || (only && all.empty()))
            continue;
        if (uris.size() > 1)
            print(uri + ":");
        printText(all);
    }
    if (only && !isFound)
        throw Error(ErrorCode::notFound,
                    "there is no secret " + inQuotes(only->text()) + ", and nothing uses one");
    if (options.json)
        printJson({{"connections", views}});
    return exit;
}

} // namespace keyhold::command
