// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/drift.h"

#include "command/connection.h"
#include "command/lost_values.h"
#include "command/secret_service.h"
#include "conf/error.h"
#include "directory/layout.h"
#include "directory/listing.h"
#include "os/store_directory.h"

#include <algorithm>
#include <chrono>
#include <map>

#include <unistd.h>

namespace keyhold::command {

namespace {

using Uuids = std::set<Uuid>;

constexpr std::chrono::seconds kPatience{10};

struct Listed {
    Uuids persistent;
    Uuids ephemeral;
};

Uuids listedOn(virConnect *connection, unsigned flag) {
    Uuids uuids;
    for (const SecretHandle &secret :
         takeObjects<SecretHandle>("cannot list secrets", [&](virSecretPtr **array) {
             return ::virConnectListAllSecrets(connection, array, flag);
         }))
        uuids.insert(uuidOf(secret.get()));
    return uuids;
}

Listed listedAt(const std::string &uri) {
    const Connection connection = openConnection(uri, Access::look);
    return {listedOn(connection.get(), VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL),
            listedOn(connection.get(), VIR_CONNECT_LIST_SECRETS_EPHEMERAL)};
}

Uuids definedIn(const Target &target) {
    Uuids uuids;
    if (!exists(target))
        return uuids;
    const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
    for (const ListedSecret &secret : listStore(directory).secrets)
        uuids.insert(secret.uuid);
    return uuids;
}

/// Why its daemon is not asked; empty if it is.
std::string obstacle(const Target &target, const Holder &holder) {
    if (target.kind == Target::Kind::embedded)
        return "a program with an embedded root answers nobody else";
    if (holder.pid == 0 || !holder.hasPidFile || !holder.handlesHangup)
        return "the process that holds the store is no daemon that can be seen";
    if (target.kind == Target::Kind::system && ::geteuid() != 0)
        return "only root sees every secret";
    return {};
}

/// By what was on disk `before` and `after` the list was made: what changed between the two is
/// none.
Drift compare(const Uuids &before, const Listed &listed, const Uuids &after) {
    Drift drift;
    for (const Uuid &uuid : before) {
        if (after.contains(uuid) && !listed.persistent.contains(uuid) &&
            !listed.ephemeral.contains(uuid))
            drift.unlisted.insert(uuid);
    }
    for (const Uuid &uuid : listed.persistent) {
        if (!before.contains(uuid) && !after.contains(uuid))
            drift.withoutFile.insert(uuid);
    }
    return drift;
}

/// Whether no driver loads the definition.
bool isUnusable(StoreFinding::Kind kind) {
    using Kind = StoreFinding::Kind;
    return kind == Kind::missingDefinition || kind == Kind::unreadableDefinition ||
           kind == Kind::definesAnother || kind == Kind::sameUse;
}

Finding lostValue(const Uuid &uuid, bool isPrivate, const Target &target, const Holder &holder) {
    const std::string begin = "has lost its value file; " + holder.text() +
                              " still serves the value, and loses it at its next reload or start; ";
    const auto remedy = [&](const std::string &secret) {
        const std::string named =
            secret + (target.kind == Target::Kind::session ? " --session" : "");
        return begin +
               (isPrivate ? "set it again from where it came, because it is private: "
                          : "store it again: keyhold get --reveal " + named + " | ") +
               "keyhold set " + named;
    };
    return {Finding::Kind::drift, target.paths.configDirectory + "/" + layout::definitionName(uuid),
            remedy(uuid.toString()), remedy("SECRET")};
}

} // namespace

Drift findDrift(const Target &target, const std::optional<Holder> &holder, const DriverView &view,
                const Inspection &inspection) {
    Drift drift;
    if (!holder)
        return drift;
    drift.unknown = obstacle(target, *holder);
    if (!drift.unknown.empty())
        return drift;
    try {
        const Uuids before = definedIn(target);
        const auto listed =
            within(kPatience, [uri = secretUriOf(target)] { return listedAt(uri); });
        if (!listed)
            throw Error(ErrorCode::internal,
                        "no answer in " + std::to_string(kPatience.count()) + " seconds");
        drift = compare(before, *listed, definedIn(target));
        drift.withoutValue = findLostValues(target, holder, view, inspection, listed->persistent);
    } catch (const Error &error) {
        drift.unknown = holder->text() + " did not list its secrets: " + error.fullText();
        return drift;
    }
    for (const StoreFinding &finding : inspection.findings) {
        if (!isUnusable(finding.kind))
            continue;
        // Which one of two with one use is loaded may have been decided long ago.
        for (const std::string &name : {finding.file, finding.other}) {
            const auto file = layout::parseFileName(name);
            if (!file || (name == finding.other && finding.kind != StoreFinding::Kind::sameUse))
                continue;
            if (auto unlisted = drift.unlisted.extract(file->uuid))
                drift.unusable.insert(std::move(unlisted));
        }
    }
    return drift;
}

void reconcileSameUses(const Target &target, const std::optional<Holder> &holder,
                       Inspection &inspection) {
    const auto isSameUse = [](const StoreFinding &finding) {
        return finding.kind == StoreFinding::Kind::sameUse;
    };
    if (std::ranges::none_of(inspection.findings, isSameUse))
        return;
    const Drift drift =
        findDrift(target, holder, {}, inspection); // no matter which values there are
    const auto isUnlisted = [&](const std::string &name) {
        const auto file = layout::parseFileName(name);
        return file && drift.unusable.contains(file->uuid);
    };
    std::map<std::string, std::string> loadedInsteadOf;
    for (const StoreFinding &finding : inspection.findings) {
        if (isSameUse(finding) && isUnlisted(finding.other) && !isUnlisted(finding.file))
            loadedInsteadOf.emplace(finding.other, finding.file);
    }
    for (StoreFinding &finding : inspection.findings) {
        const auto loaded = loadedInsteadOf.find(finding.other);
        if (!isSameUse(finding) || loaded == loadedInsteadOf.end())
            continue;
        if (finding.file == loaded->second)
            finding.file = finding.other;
        finding.other = loaded->second;
    }
}

std::vector<Finding> driftFindings(const Drift &drift, const Target &target,
                                   const std::optional<Holder> &holder) {
    std::vector<Finding> found;
    const auto say = [&](const Uuids &uuids, const std::string &text) {
        if (!uuids.empty())
            found.push_back({Finding::Kind::drift, target.paths.configDirectory,
                             "and " + holder->text() + " differ: " + std::to_string(uuids.size()) +
                                 text + uuids.begin()->toString()});
    };
    say(drift.unlisted, " defined in files and not listed by it; reload it; such as ");
    say(drift.withoutFile, " listed by it without a file, and lost at its next reload or start; "
                           "put the files back; such as ");
    for (const auto &[uuid, isPrivate] : drift.withoutValue)
        found.push_back(lostValue(uuid, isPrivate, target, *holder));
    return found;
}

} // namespace keyhold::command
