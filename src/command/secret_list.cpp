// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/secret_list.h"

#include "command/age.h"
#include "command/store_keys.h"
#include "conf/error.h"
#include "conf/secret_xml.h"
#include "directory/listing.h"
#include "directory/secret_inspection.h"
#include "os/parallel.h"
#include "os/store_directory.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <tuple>

#include <libvirt/virterror.h>
#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

std::vector<SecretEntry> entriesOfFiles(const StoreDirectory &directory,
                                        const SealingPolicy &policy) {
    const Listing listing = listStore(directory);
    std::vector<SecretEntry> entries(listing.secrets.size());
    parallelFor(entries.size(), [&](std::size_t i) {
        const Uuid &uuid = listing.secrets[i].uuid;
        SecretInspection found = inspectSecret(directory, policy, uuid);
        entries[i] = {uuid,
                      std::move(found.definition),
                      false,
                      true,
                      found.format,
                      std::move(found.keyId),
                      found.isUnreadable,
                      found.changed};
    });
    // A definition may be listed twice beside changes.
    std::ranges::sort(entries, {}, &SecretEntry::uuid);
    const auto isSame = [](const SecretEntry &a, const SecretEntry &b) { return a.uuid == b.uuid; };
    entries.erase(std::unique(entries.begin(), entries.end(), isSame), entries.end());
    return entries;
}

constexpr std::chrono::seconds kPatience{30}; // for every definition

void addServed(SecretList &list, const Holder &holder) {
    const std::string noAnswer = "the definitions are those of the files, for " + holder.text();
    try {
        auto served = within(kPatience, [uri = secretUriOf(list.target)] {
            return definitionsOn(openConnection(uri, Access::look).get());
        });
        if (!served) {
            list.note = noAnswer + " does not answer";
            return;
        }
        list.entries = withServed(std::move(list.entries), std::move(*served));
        list.isOfDaemon = true;
        list.note = "the definitions are those of " + holder.text();
    } catch (const Error &error) {
        list.note = noAnswer + " does not say: " + error.fullText();
    }
}

} // namespace

SecretList listSecrets(const Target &target, const std::vector<std::string> &keyFiles) {
    SecretList list{target, false, {}, {}};
    const auto holder = findHolder(target.paths);
    const StoreKeys keys = readStoreKeys(target, holder, keyFiles);
    const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
    list.entries = entriesOfFiles(directory, *keys.host.policy);
    if (holder && target.kind != Target::Kind::embedded)
        addServed(list, *holder);
    else if (holder)
        list.note = "the definitions are those of the files; " + holder->text() + " has them open";
    else
        list.note = "the definitions are those of the files; no process has them open";
    std::ranges::stable_sort(list.entries, {}, [](const SecretEntry &entry) {
        const Usage none;
        const Usage &usage = entry.definition ? entry.definition->usage : none;
        return std::tuple(usage.type, usage.id, entry.uuid);
    });
    return list;
}

std::vector<SecretDefinition> definitionsOn(virConnect *connection) {
    constexpr const char *kWhat = "cannot list secrets";
    const auto secrets = takeObjects<SecretHandle>(kWhat, [&](virSecretPtr **array) {
        return ::virConnectListAllSecrets(connection, array, 0);
    });
    std::vector<SecretDefinition> definitions;
    definitions.reserve(secrets.size());
    for (const SecretHandle &secret : secrets) {
        const std::string xml = takeText(::virSecretGetXMLDesc(secret.get(), 0));
        if (!xml.empty())
            definitions.push_back(parseSecretXml(xml.c_str()));
        else if (::virGetLastError() == nullptr || ::virGetLastError()->code != VIR_ERR_NO_SECRET)
            raiseLibvirtError(kWhat);
    }
    return definitions;
}

std::vector<SecretEntry> withServed(std::vector<SecretEntry> ofFiles,
                                    std::vector<SecretDefinition> served) {
    std::ranges::sort(ofFiles, {}, &SecretEntry::uuid);
    std::ranges::sort(served, {}, &SecretDefinition::uuid);
    std::vector<SecretEntry> onlyServed;
    auto entry = ofFiles.begin();
    for (SecretDefinition &definition : served) {
        while (entry != ofFiles.end() && entry->uuid < definition.uuid)
            ++entry;
        if (entry == ofFiles.end() || entry->uuid != definition.uuid)
            onlyServed.push_back(
                {definition.uuid, std::move(definition), true, false, {}, {}, false, 0});
        else {
            entry->isServed = true;
            entry->definition = std::move(definition);
        }
    }
    std::ranges::move(onlyServed, std::back_inserter(ofFiles));
    return ofFiles;
}

const SecretEntry &findEntry(const SecretList &list, const SecretName &name) {
    std::vector<const SecretEntry *> found;
    for (const SecretEntry &entry : list.entries) {
        if (name.isOf(entry.uuid, entry.definition ? entry.definition->usage : Usage{}))
            found.push_back(&entry);
    }
    if (found.empty())
        throw Error(ErrorCode::notFound, "there is no secret " + inQuotes(name.text()) + " in " +
                                             inQuotes(list.target.paths.configDirectory) +
                                             "; keyhold list shows those that are there");
    if (found.size() > 1)
        throw Error(ErrorCode::invalidArgument,
                    std::to_string(found.size()) + " secrets have the use " +
                        inQuotes(name.text()) + ", as " + found[0]->uuid.toString() + " and " +
                        found[1]->uuid.toString() + "; give the uuid of one");
    return *found.front();
}

const char *formName(const std::optional<ValueFormat> &format) noexcept {
    if (!format)
        return "none";
    switch (*format) {
    case ValueFormat::plain:
        return "plain";
    case ValueFormat::aes256cbc:
        return "aes256cbc";
    case ValueFormat::jwe:
        return "sealed";
    }
    return "";
}

Json jsonOf(const SecretEntry &entry, bool isOfDaemon) {
    Json json = {{"uuid", entry.uuid.toString()}};
    const auto &definition = entry.definition;
    const bool hasUsage = definition && definition->usage.type != UsageType::none;
    json["usageType"] = hasUsage ? Json(usageWords(definition->usage.type).type) : Json();
    json["usageId"] = hasUsage ? Json(definition->usage.id) : Json();
    json["description"] = definition ? Json(definition->description) : Json();
    json["private"] = definition ? Json(definition->isPrivate) : Json();
    json["ephemeral"] = definition ? Json(definition->isEphemeral) : Json();
    json["form"] = formName(entry.format);
    json["key"] = entry.keyId.empty() ? Json() : Json(entry.keyId);
    json["unreadable"] = entry.isUnreadable;
    json["changed"] = entry.changed != 0 ? Json(timeText(entry.changed)) : Json();
    json["served"] = isOfDaemon ? Json(entry.isServed) : Json();
    json["file"] = entry.hasFile;
    return json;
}

} // namespace keyhold::command
