// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/age.h"
#include "command/host_users.h"
#include "command/report.h"
#include "command/secret_list.h"
#include "command/secrets.h"
#include "conf/error.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

/// What uses a secret, as far as somebody says.
struct Users {
    std::vector<SecretUser> users;
    std::string unknown; ///< why they are not all, or empty
};

Users usersOf(const ShowOptions &options, const SecretEntry &entry) {
    Users found;
    try {
        for (const std::string &uri : connectionsFor(options.target, options.connections)) {
            HostView view = lookAtHost(uri);
            // It may be ours alone.
            if (std::ranges::find(view.secrets, entry.uuid, &KnownSecret::uuid) ==
                view.secrets.end())
                view.secrets.push_back(
                    {entry.uuid, entry.definition ? entry.definition->usage : Usage{}});
            for (UsedSecret &used : usedSecrets(view, SecretName{entry.uuid, {}}))
                std::ranges::move(used.users, std::back_inserter(found.users));
        }
    } catch (const Error &error) {
        found.unknown = error.fullText();
    }
    return found;
}

void printLine(const char *label, const std::string &text) {
    constexpr std::size_t kWidth = 14;
    std::string line = label;
    line.resize(kWidth, ' ');
    print(line + text);
}

const char *answer(bool isSo) {
    return isSo ? "yes" : "no";
}

void printText(const SecretList &list, const SecretEntry &entry, const Users &users) {
    printLine("uuid", entry.uuid.toString());
    if (const auto &definition = entry.definition) {
        printLine("usage", usageText(definition->usage));
        printLine("description", definition->description.empty() ? "-" : definition->description);
        printLine("private", answer(definition->isPrivate));
        printLine("ephemeral", answer(definition->isEphemeral));
    } else {
        printLine("definition", "cannot be read; keyhold verify says why");
    }
    printLine("store", std::string(list.target.name()) + ": " + list.target.paths.configDirectory);
    if (list.isOfDaemon)
        printLine("served", answer(entry.isServed));
    printLine("form",
              std::string(formName(entry.format)) +
                  (entry.isUnreadable ? ", and cannot be read; keyhold verify says why" : ""));
    if (!entry.keyId.empty())
        printLine("key", entry.keyId);
    if (entry.changed != 0)
        printLine("changed", timeText(entry.changed));
    for (const SecretUser &user : users.users)
        printLine("used by", textOf(user));
    if (!users.unknown.empty())
        printLine("used by", "unknown: " + users.unknown);
    else if (users.users.empty())
        printLine("used by", "nothing");
    tell(list.note);
}

} // namespace

Exit show(const ShowOptions &options) {
    const SecretName name = parseSecretName(options.secret);
    const SecretList list = listSecrets(chooseTarget(options.target), options.keyFiles);
    const SecretEntry &entry = findEntry(list, name);
    const Users users = usersOf(options, entry);
    if (options.json) {
        Json json = jsonOf(entry, list.isOfDaemon);
        Json array = Json::array();
        for (const SecretUser &user : users.users)
            array.push_back(jsonOf(user));
        json["usedBy"] = users.unknown.empty() ? array : Json();
        json["usedByUnknown"] = users.unknown;
        json["definitionsOf"] = list.isOfDaemon ? "daemon" : "files";
        json["note"] = list.note;
        printJson(json);
    } else {
        printText(list, entry, users);
    }
    return entry.isUnreadable || !entry.definition ? Exit::findings : Exit::clean;
}

} // namespace keyhold::command
