// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/age.h"
#include "command/json_stream.h"
#include "command/secret_list.h"
#include "command/secrets.h"
#include "command/table.h"

#include <chrono>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

std::int64_t now() {
    return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Enough to tell keys apart on a line; `show` and JSON have all of it.
std::string keyOf(const SecretEntry &entry) {
    constexpr std::size_t kShown = 12;
    return entry.keyId.empty() ? "-" : entry.keyId.substr(0, kShown);
}

std::string flagsOf(const SecretList &list, const SecretEntry &entry) {
    std::string flags;
    const auto add = [&](bool isSet, const char *name) {
        if (isSet)
            flags += (flags.empty() ? "" : ",") + std::string(name);
    };
    add(!entry.definition, "broken");
    add(entry.definition && entry.definition->isPrivate, "private");
    add(entry.definition && entry.definition->isEphemeral, "ephemeral");
    add(entry.isUnreadable, "unreadable");
    add(list.isOfDaemon && !entry.isServed, "not-loaded");
    add(!entry.hasFile && !(entry.definition && entry.definition->isEphemeral), "no-file");
    return flags.empty() ? "-" : flags;
}

void printText(const SecretList &list, bool isNamed) {
    if (isNamed)
        print(std::string(list.target.name()) + ": " + list.target.paths.configDirectory);
    std::vector<std::vector<std::string>> rows{
        {"UUID", "FORM", "KEY", "AGE", "FLAGS", "USAGE", "DESCRIPTION"}};
    const std::int64_t time = now();
    for (const SecretEntry &entry : list.entries) {
        const auto &definition = entry.definition;
        rows.push_back({entry.uuid.toString(), formName(entry.format), keyOf(entry),
                        entry.changed == 0 ? "-" : ageText(entry.changed, time),
                        flagsOf(list, entry), definition ? usageText(definition->usage) : "-",
                        definition ? definition->description : ""});
    }
    printTable(std::move(rows));
    tell(list.note);
}

void printJson(const std::vector<SecretList> &lists) {
    JsonStream json;
    json.openObject();
    json.openArray("stores");
    for (const SecretList &list : lists) {
        json.openObject();
        json.put("instance", list.target.name());
        json.put("directory", list.target.paths.configDirectory);
        json.put("definitionsOf", list.isOfDaemon ? "daemon" : "files");
        json.put("note", list.note);
        json.openArray("secrets");
        for (const SecretEntry &entry : list.entries)
            json.put(nullptr, jsonOf(entry, list.isOfDaemon));
        json.close();
        json.close();
    }
    json.close();
    json.close();
}

} // namespace

Exit list(const ListOptions &options) {
    std::vector<SecretList> lists;
    const std::vector<Target> targets = chooseTargets(options.target);
    if (targets.empty() && !options.json)
        print("there is no store of secrets here yet");
    for (const Target &target : targets) {
        SecretList list = listSecrets(target, options.keyFiles);
        if (options.json)
            lists.push_back(std::move(list));
        else
            printText(list, targets.size() > 1);
    }
    if (options.json)
        printJson(lists);
    return Exit::clean;
}

} // namespace keyhold::command
