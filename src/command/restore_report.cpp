// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/restore.h"

#include "conf/error.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

using Action = PlannedSecret::Action;

const char *actionName(Action action) {
    switch (action) {
    case Action::unwanted:
        return "unwanted";
    case Action::add:
        return "new";
    case Action::same:
        return "same";
    case Action::replace:
        return "replace";
    case Action::keep:
        return "keep";
    }
    return "";
}

Json differencesOf(const PlannedSecret &planned) {
    Json parts = Json::array();
    if (planned.definitionDiffers)
        parts.push_back("definition");
    if (planned.valueDiffers)
        parts.push_back("value");
    return parts;
}

std::string lineOf(const PlannedSecret &planned) {
    std::string line = "  " + planned.uuid.toString();
    if (planned.usage.type != UsageType::none)
        line.append(" (")
            .append(usageWords(planned.usage.type).type)
            .append(" " + inQuotes(planned.usage.id) + ")");
    if (planned.definitionDiffers && planned.valueDiffers)
        line += ": definition and value differ";
    else if (planned.definitionDiffers || planned.valueDiffers)
        line += planned.valueDiffers ? ": value differs" : ": definition differs";
    return line;
}

/// A head with a count, and the first lines below it.
void printGroup(const std::string &head, const std::vector<std::string> &lines) {
    constexpr std::size_t kMostLines = 20;
    if (lines.empty())
        return;
    print(head + ": " + counted(lines.size(), "secret"));
    for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i)
        print(lines[i]);
    if (lines.size() > kMostLines)
        print("  and " + std::to_string(lines.size() - kMostLines) + " more; --json names all");
}

std::vector<std::string> linesOf(const RestorePlan &plan, Action action) {
    std::vector<std::string> lines;
    for (const PlannedSecret &planned : plan.secrets) {
        if (planned.action == action)
            lines.push_back(lineOf(planned));
    }
    return lines;
}

void printArchive(const Manifest &manifest) {
    print("backup of " + manifest.instance + " " + inQuotes(manifest.directory) + " on " +
          inQuotes(manifest.host) + ", as of " + manifest.start + " to " + manifest.end +
          ", with " + counted(manifest.counts.secrets, "secret") + "; it is whole");
    for (const Manifest::LeftOut &each : manifest.leftOut)
        print("not in it: " + each.kind + ": " + inQuotes(each.file) + " " + each.text);
}

/// `keyId` is empty if it is unknown.
std::string missingKeyText(const std::string &keyId, std::size_t count) {
    const std::string values = counted(count, "value");
    if (keyId.empty())
        return values + " that libvirt encrypted cannot be opened with the keys that are "
                        "configured here";
    return "key " + keyId + " is not configured here, and " + values +
           " cannot be read without it; name its file in secrets_encryption_key or "
           "secrets_decryption_keys of secret.conf";
}

/// What is to be done before the next start, or after it.
void printAdvice(const RestorePlan &plan) {
    for (const auto &[keyId, count] : plan.unopened)
        print(missingKeyText(keyId, count));
    if (plan.unsealed > 0)
        print(counted(plan.unsealed, "value") +
              " plain in the archive, though secret.conf asks for encryption; seal what is stored "
              "with keyhold seal");
}

} // namespace

void printRestore(const RestorePlan &plan, const RestoreOptions &options, std::size_t done) {
    const std::size_t total = plan.count(Action::add) + plan.count(Action::replace);
    const bool isDone = options.applies && done == total && plan.conflicts.empty();
    printArchive(plan.manifest);
    printGroup(isDone ? "added" : "would be added", linesOf(plan, Action::add));
    printGroup(isDone ? "replaced" : "would be replaced", linesOf(plan, Action::replace));
    printGroup("left though the archive has another (--replace takes that)",
               linesOf(plan, Action::keep));
    if (const std::size_t same = plan.count(Action::same); same > 0)
        print("the same in both: " + counted(same, "secret"));
    std::vector<std::string> others;
    for (const Uuid &uuid : plan.others)
        others.push_back("  " + uuid.toString());
    printGroup("in the store alone, and left", others);
    printAdvice(plan);
    for (const std::string &conflict : plan.conflicts)
        print("refused: " + conflict);
    if (!plan.conflicts.empty())
        print("nothing was changed; undefine one of each pair, or name the UUIDs to restore");
    else if (options.applies && !isDone)
        print(std::to_string(done) + " of " + std::to_string(total) +
              " were written; run this again to go on");
    else if (!options.applies && total > 0)
        print("nothing was changed; --apply does it");
    else if (total == 0)
        print("nothing to do");
}

Json jsonOfRestore(const RestorePlan &plan, const RestoreOptions &options, std::size_t done) {
    Json secrets = Json::array();
    for (const PlannedSecret &planned : plan.secrets)
        secrets.push_back({{"uuid", planned.uuid.toString()},
                           {"action", actionName(planned.action)},
                           {"differs", differencesOf(planned)}});
    Json others = Json::array();
    for (const Uuid &uuid : plan.others)
        others.push_back(uuid.toString());
    Json unopened = Json::object();
    for (const auto &[keyId, count] : plan.unopened)
        unopened[keyId] = count;
    return {{"operation", "restore"},
            {"file", options.file},
            {"archive", summaryOf(plan.manifest)},
            {"applied", options.applies && plan.conflicts.empty()},
            {"written", done},
            {"secrets", secrets},
            {"storeAlone", others},
            {"conflicts", plan.conflicts},
            {"unopened", unopened},
            {"unsealed", plan.unsealed}};
}

} // namespace keyhold::command
