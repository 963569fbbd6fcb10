// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/restore.h"

#include "command/locked_store.h"
#include "command/stop_advice.h"
#include "command/store_keys.h"
#include "conf/error.h"

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

using Action = PlannedSecret::Action;

std::vector<Uuid> uuidsOf(const std::vector<std::string> &texts) {
    std::vector<Uuid> uuids;
    for (const std::string &text : texts) {
        const auto uuid = Uuid::parse(text);
        if (!uuid)
            throw Error(ErrorCode::invalidArgument, inQuotes(text) + " is not a uuid");
        uuids.push_back(*uuid);
    }
    return uuids;
}

std::string inUseText(const Target &target, const Holder &holder) {
    return inQuotes(target.paths.configDirectory) + " is in use by " + holder.text() +
           "; for a restore, " + stopAdvice(target, holder);
}

/// A host that never had a secret has no directory for them.
void requireDirectory(const Target &target) {
    if (target.kind == Target::Kind::embedded) {
        FileStatus status;
        if (const int result = posixFileSystem().statusOf(target.root, status); result < 0)
            throw Error(ErrorCode::notFound, "there is no directory " + inQuotes(target.root),
                        -result);
    }
    if (const int result = posixFileSystem().makePath(target.paths.configDirectory); result < 0)
        throw Error(ErrorCode::systemCall,
                    "cannot create " + inQuotes(target.paths.configDirectory), -result);
}

/// Writes the secrets of a plan, as changes of a client.
class Restorer {
  public:
    Restorer(const RestorePlan &plan, DirectoryBackend &backend, const SealingPolicy &policy)
        : plan_(plan),
          backend_(backend),
          policy_(policy) {}

    void write(const ArchivedSecret &archived) {
        const PlannedSecret *const planned =
            next_ < plan_.secrets.size() ? &plan_.secrets[next_++] : nullptr;
        if (!planned || planned->digest != archived.digest)
            throw Error(ErrorCode::valueUnreadable,
                        "the archive was changed while it was read; run this again");
        if (planned->action == Action::add || planned->usageDiffers)
            put(archived, {.definition = &archived.definition, .value = archived.encoded},
                std::nullopt);
        else
            replaceParts(*planned, archived);
    }

    [[nodiscard]] bool isToWrite() const {
        return next_ < plan_.secrets.size() && (plan_.secrets[next_].action == Action::add ||
                                                plan_.secrets[next_].action == Action::replace);
    }
    void skip() { ++next_; }

  private:
    void replaceParts(const PlannedSecret &planned, const ArchivedSecret &archived) {
        if (planned.definitionDiffers)
            put(archived, {.definition = &archived.definition}, Revision());
        if (planned.valueDiffers && archived.encoded)
            put(archived, {.value = archived.encoded}, Revision());
        else if (planned.valueDiffers)
            put(archived, {.removesValue = true}, Revision());
    }

    void put(const ArchivedSecret &archived, const SecretChange &change,
             std::optional<Revision> seen) {
        const Uuid &uuid = archived.definition.uuid;
        // A value that nobody can read here may still be worth something elsewhere.
        const FormerJudge judge = [&](ValueFormat, const auto &lend) -> const char * {
            try {
                lend([&](const EncodedValue &encoded) {
                    return policy_.decodeAny(encoded.format, uuid, encoded.bytes).has_value();
                });
            } catch (const Error &) {
                return "could not be read when its secret was restored";
            }
            return nullptr;
        };
        backend_.put(uuid, change, seen, judge);
    }

    const RestorePlan &plan_;
    DirectoryBackend &backend_;
    const SealingPolicy &policy_;
    std::size_t next_ = 0;
};

/// Ends the reading of an archive before its end.
struct Stopped {};

std::size_t apply(const RestorePlan &plan, const RestoreOptions &options, const LockedStore &store,
                  const SealingPolicy &policy) {
    const std::size_t total = plan.count(Action::add) + plan.count(Action::replace);
    Restorer restorer(plan, *store.backend(), policy);
    Progress progress("restore", total);
    std::size_t done = 0;
    if (total == 0)
        return 0;
    try {
        readBackup(options.file, policy, [&](const ArchivedSecret &archived) {
            if (!restorer.isToWrite())
                return restorer.skip();
            if (options.isStopped())
                throw Stopped();
            restorer.write(archived);
            progress.show(++done);
        });
    } catch (const Stopped &) {
        return done;
    }
    return done;
}

} // namespace

Exit restore(const RestoreOptions &options) {
    const Target target = chooseSettings(options.target);
    const RestoreChoice choice{options.file, uuidsOf(options.uuids), options.replaces};
    const auto holder = findLastingHolder(target.paths);
    if (holder && options.applies)
        throw Error(ErrorCode::configUnsupported, inUseText(target, *holder));
    const StoreKeys keys = readStoreKeys(target, holder, options.keyFiles);
    for (const Finding &finding : keys.findings)
        tell(finding.text);
    const SealingPolicy &policy = *keys.host.policy;

    // Verified first, so that a wrong archive makes no directory.
    if (options.applies && !exists(target)) {
        readBackup(options.file, policy, [](const ArchivedSecret &) {});
        requireDirectory(target);
    }
    std::optional<LockedStore> store;
    std::optional<StoreDirectory> directory;
    if (options.applies)
        store.emplace(target);
    else if (exists(target))
        directory.emplace(posixFileSystem(), target.paths.configDirectory);
    const StoreDirectory *const looked = store       ? &store->directory()
                                         : directory ? &*directory
                                                     : nullptr;

    const RestorePlan plan = planRestore(choice, looked, policy);
    const bool isPossible = plan.conflicts.empty();
    const std::size_t total = plan.count(Action::add) + plan.count(Action::replace);
    const std::size_t done = store && isPossible ? apply(plan, options, *store, policy) : 0;
    if (options.json)
        printJson(jsonOfRestore(plan, options, done));
    else
        printRestore(plan, options, done);
    if (holder)
        tell(inUseText(target, *holder));
    if (!isPossible || (options.applies && done < total))
        return Exit::failure;
    const bool isClean =
        plan.count(Action::keep) == 0 && plan.unopened.empty() && plan.unsealed == 0;
    return isClean ? Exit::clean : Exit::findings;
}

} // namespace keyhold::command
