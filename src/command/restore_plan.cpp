// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/restore_plan.h"

#include "command/secret_copy.h"
#include "command/store_names.h"
#include "conf/error.h"
#include "directory/secret_files.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace keyhold::command {

namespace {

using Action = PlannedSecret::Action;

bool isSameText(const ArchivedSecret &archived, const SecretCopy &stored) {
    return archived.encoded->format == stored.format &&
           std::ranges::equal(archived.encoded->bytes, stored.file->bytes());
}

bool valueDiffers(const ArchivedSecret &archived, const SecretCopy &stored) {
    if (!archived.encoded || !stored.format)
        return archived.encoded.has_value() || stored.format || stored.value.isUnreadable();
    if (isSameText(archived, stored))
        return false;
    // Sealed again since, the text is another one.
    return !archived.value.shielded() || !stored.value.shielded() ||
           !isSameValue(archived.definition.uuid, archived.value, stored.value);
}

class Planner {
  public:
    Planner(const RestoreChoice &choice, const StoreDirectory *directory,
            const SealingPolicy &policy)
        : choice_(choice),
          directory_(directory),
          policy_(policy) {}

    RestorePlan plan() {
        out_.manifest = readBackup(choice_.file, policy_,
                                   [&](const ArchivedSecret &archived) { add(archived); });
        for (const Uuid &uuid : choice_.uuids) {
            if (!std::ranges::binary_search(out_.secrets, uuid, {}, &PlannedSecret::uuid))
                throw Error(ErrorCode::notFound, "there is no secret " + inQuotes(uuid.toString()) +
                                                     " in " + inQuotes(choice_.file));
        }
        keepWhatWasLeftOut();
        findOthers();
        findConflicts();
        return std::move(out_);
    }

  private:
    /// Where the backup could not read a value, it says nothing of the one that is here.
    void keepWhatWasLeftOut() {
        for (PlannedSecret &each : out_.secrets) {
            const auto isOfSecret = [&](const auto &left) {
                return left.file.find("/" + each.uuid.toString() + ".") != std::string::npos;
            };
            if (each.action == Action::replace && each.isWithoutValue && each.valueDiffers &&
                std::ranges::any_of(out_.manifest.leftOut, isOfSecret))
                each.action = Action::keep;
        }
    }

    void add(const ArchivedSecret &archived) {
        const Uuid &uuid = archived.definition.uuid;
        PlannedSecret planned;
        planned.uuid = uuid;
        planned.usage = archived.definition.usage;
        planned.digest = archived.digest;
        planned.isWithoutValue = !archived.encoded;
        if (choice_.uuids.empty() || std::ranges::find(choice_.uuids, uuid) != choice_.uuids.end())
            compare(archived, planned);
        const bool isRestored = planned.action == Action::add ||
                                planned.action == Action::replace || planned.action == Action::same;
        if (isRestored && archived.encoded && archived.value.isUnreadable())
            ++out_.unopened[archived.keyId];
        if (isRestored && policy_.rules().mustSeal && archived.encoded &&
            archived.encoded->format == ValueFormat::plain)
            ++out_.unsealed;
        out_.secrets.push_back(std::move(planned));
    }

    void compare(const ArchivedSecret &archived, PlannedSecret &planned) const {
        const auto stored =
            directory_ ? copySecret(*directory_, policy_, planned.uuid) : std::nullopt;
        if (!stored) {
            planned.action = Action::add;
            return;
        }
        planned.definitionDiffers = stored->definition != archived.definition;
        planned.usageDiffers =
            !stored->definition || stored->definition->usage != archived.definition.usage;
        planned.valueDiffers = !stored->definition || valueDiffers(archived, *stored);
        if (!planned.definitionDiffers && !planned.valueDiffers)
            planned.action = Action::same;
        else
            planned.action = choice_.replaces ? Action::replace : Action::keep;
    }

    void findOthers() {
        if (!directory_)
            return;
        stored_ = secretsIn(*directory_);
        const auto isArchived = [&](const Uuid &uuid) {
            return std::ranges::binary_search(out_.secrets, uuid, {}, &PlannedSecret::uuid);
        };
        std::ranges::remove_copy_if(stored_, std::back_inserter(out_.others), isArchived);
    }

    void findConflicts() {
        std::unordered_map<Usage, Uuid, UsageHash> usages;
        const auto isWritten = [](const PlannedSecret &planned) {
            return planned.action == Action::add || planned.action == Action::replace;
        };
        for (const Uuid &uuid : stored_) {
            const auto planned =
                std::ranges::lower_bound(out_.secrets, uuid, {}, &PlannedSecret::uuid);
            const bool stays =
                planned == out_.secrets.end() || planned->uuid != uuid || !isWritten(*planned);
            const auto usage = stays ? usageOf(uuid) : std::nullopt;
            if (usage && usage->type != UsageType::none)
                usages.emplace(*usage, uuid);
        }
        for (const PlannedSecret &planned : out_.secrets) {
            if (!isWritten(planned) || planned.usage.type == UsageType::none)
                continue;
            const auto [other, isNew] = usages.emplace(planned.usage, planned.uuid);
            if (!isNew)
                out_.conflicts.push_back("secret " + inQuotes(planned.uuid.toString()) +
                                         " has the use " + usageWords(planned.usage.type).type +
                                         " " + inQuotes(planned.usage.id) + ", which secret " +
                                         inQuotes(other->second.toString()) + " has too");
        }
    }

    [[nodiscard]] std::optional<Usage> usageOf(const Uuid &uuid) const {
        try {
            const auto file = readDefinition(*directory_, uuid);
            return file ? std::optional(file->definition.usage) : std::nullopt;
        } catch (const Error &error) {
            if (error.code() == ErrorCode::noMemory)
                throw;
            return std::nullopt; // no start loads it
        }
    }

    const RestoreChoice &choice_;
    const StoreDirectory *const directory_;
    const SealingPolicy &policy_;
    std::vector<Uuid> stored_;
    RestorePlan out_;
};

} // namespace

std::size_t RestorePlan::count(PlannedSecret::Action action) const {
    return static_cast<std::size_t>(std::ranges::count(secrets, action, &PlannedSecret::action));
}

RestorePlan planRestore(const RestoreChoice &choice, const StoreDirectory *directory,
                        const SealingPolicy &policy) {
    return Planner(choice, directory, policy).plan();
}

} // namespace keyhold::command
