// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/inspection.h"

#include "directory/layout.h"
#include "directory/listing.h"
#include "directory/secret_inspection.h"
#include "os/parallel.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>
#include <thread>
#include <unordered_map>

#include <sys/stat.h>

namespace keyhold {

namespace {

using Kind = StoreFinding::Kind;

constexpr mode_t kOfOthers = S_IRWXG | S_IRWXO;
constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

/// In the order of the names, whatever that of the directory.
Listing sorted(Listing listing) {
    // A definition may be listed twice beside changes; the first one has the values.
    std::ranges::stable_sort(listing.secrets, {}, &ListedSecret::uuid);
    const auto isSame = [](const ListedSecret &a, const ListedSecret &b) {
        return a.uuid == b.uuid;
    };
    listing.secrets.erase(std::unique(listing.secrets.begin(), listing.secrets.end(), isSame),
                          listing.secrets.end());
    std::ranges::sort(listing.orphans);
    for (auto *names :
         {&listing.privateNames, &listing.quarantined, &listing.misnamed, &listing.unknown})
        std::ranges::sort(*names);
    return listing;
}

class Inspector {
  public:
    Inspector(const StoreDirectory &directory, const SealingPolicy &policy)
        : Inspector(directory, policy, listStore(directory)) {}

    Inspection look() {
        checkDirectory();
        checkNames();
        checkFiles();
        checkSecrets();
        checkUses();
        return std::move(out_);
    }

  private:
    Inspector(const StoreDirectory &directory, const SealingPolicy &policy, Listing &&listing)
        : directory_(directory),
          policy_(policy) {
        asListed_.reserve(listing.secrets.size());
        for (const ListedSecret &secret : listing.secrets)
            asListed_.push_back(secret.uuid);
        listing_ = sorted(std::move(listing));
    }

    void checkDirectory() {
        const FileStatus status = directory_.status();
        owner_ = status.owner;
        if ((status.mode & kOfOthers) != 0)
            add({.kind = Kind::openDirectory});
    }

    void checkNames() {
        const auto addAll = [&](Kind kind, const std::vector<std::string> &names) {
            for (const std::string &name : names)
                add({.kind = kind, .file = name});
        };
        addAll(Kind::privateName, listing_.privateNames);
        addAll(Kind::quarantinedValue, listing_.quarantined);
        addAll(Kind::misnamedDefinition, listing_.misnamed);
        addAll(Kind::unknownName, listing_.unknown);
        for (const auto &[uuid, format] : listing_.orphans)
            add({.kind = Kind::orphanedValue, .file = layout::valueName(uuid, format)});
    }

    void checkFiles() {
        for (const ListedSecret &secret : listing_.secrets)
            checkFile(layout::definitionName(secret.uuid), kWritableByOthers, Kind::writable);
        for (const ListedSecret &secret : listing_.secrets) {
            for (const ValueFormat format : kValueFormats) {
                if ((secret.forms & only(format)) != 0)
                    checkFile(layout::valueName(secret.uuid, format), kOfOthers, Kind::accessible);
            }
        }
        for (const auto &[uuid, format] : listing_.orphans)
            checkFile(layout::valueName(uuid, format), kOfOthers, Kind::accessible);
        for (const auto *names : {&listing_.privateNames, &listing_.quarantined, &listing_.unknown})
            for (const std::string &name : *names)
                checkFile(name, kOfOthers, Kind::accessible);
    }

    void checkFile(const std::string &name, mode_t forbidden, Kind kind) {
        FileStatus status;
        // Not there: it went in the meantime, or is a link to nothing, which reading it reports.
        if (directory_.fileSystem().statusAt(directory_.number(), name.c_str(), status) < 0)
            return;
        if ((status.mode & forbidden) != 0)
            add({.kind = kind, .file = name});
        if (status.owner != owner_ && status.owner != 0)
            add({.kind = Kind::foreignOwner,
                 .file = name,
                 .owner = status.owner,
                 .rightOwner = owner_});
    }

    void checkSecrets() {
        const auto &secrets = listing_.secrets;
        std::vector<SecretInspection> inspected(secrets.size());
        parallelFor(secrets.size(), [&](std::size_t i) {
            inspected[i] = inspectSecret(directory_, policy_, secrets[i].uuid);
        });
        for (std::size_t i = 0; i < secrets.size(); ++i)
            count(secrets[i], inspected[i]);
    }

    void count(const ListedSecret &listed, SecretInspection &secret) {
        const Uuid &uuid = listed.uuid;
        ++out_.secrets;
        if (!secret.format)
            out_.withoutValue.push_back(uuid);
        else if (*secret.format == ValueFormat::plain)
            out_.plain.push_back(uuid);
        else if (*secret.format == ValueFormat::aes256cbc)
            ++out_.aes256cbc;
        else
            ++out_.sealed[secret.keyId];
        if (secret.isUnreadable)
            ++out_.unreadable;
        const bool isSealed = secret.format == ValueFormat::jwe;
        // It takes the plain value beside a sealed one, which does not count here.
        if (isSealed ? (listed.forms & only(ValueFormat::plain)) == 0 : secret.isUnreadable)
            ++out_.unreadableByStock;
        if (secret.needsReencryption)
            out_.reencryptable.push_back(uuid);
        std::ranges::move(secret.findings, std::back_inserter(out_.findings));
        if (!secret.definition || secret.definition->usage.type == UsageType::none)
            return;
        const auto [first, isNew] = usages_.emplace(secret.definition->usage, uuid);
        if (!isNew)
            rivals_.try_emplace(first->second, 1, first->second).first->second.push_back(uuid);
    }

    /// Of those with one use, a start loads the first in the order of the directory.
    void checkUses() {
        for (const auto &[first, rivals] : rivals_) {
            const auto loaded = std::ranges::find_first_of(asListed_, rivals);
            for (const Uuid &uuid : rivals) {
                if (uuid != *loaded)
                    add({.kind = Kind::sameUse,
                         .file = layout::definitionName(uuid),
                         .other = layout::definitionName(*loaded)});
            }
        }
    }

    void add(StoreFinding finding) { out_.findings.push_back(std::move(finding)); }

    const StoreDirectory &directory_;
    const SealingPolicy &policy_;
    std::vector<Uuid> asListed_;
    Listing listing_;
    Inspection out_;
    uid_t owner_ = 0; ///< of the directory
    std::unordered_map<Usage, Uuid, UsageHash> usages_;
    std::map<Uuid, std::vector<Uuid>> rivals_; ///< all that have the use of the first one
};

} // namespace

std::size_t sealedIn(const Inspection &inspection) {
    std::size_t sealed = 0;
    for (const auto &[keyId, count] : inspection.sealed)
        sealed += count;
    return sealed;
}

Inspection inspect(const StoreDirectory &directory, const SealingPolicy &policy) {
    return Inspector(directory, policy).look();
}

Inspection inspectBeside(const StoreDirectory &directory, const SealingPolicy &policy) {
    constexpr auto kMoment = std::chrono::milliseconds(500);
    Inspection first = inspect(directory, policy);
    if (first.findings.empty())
        return first;
    std::this_thread::sleep_for(kMoment);
    Inspection second = inspect(directory, policy);
    second.findings = inBoth(first.findings, second.findings);
    return second;
}

std::vector<StoreFinding> inBoth(const std::vector<StoreFinding> &first,
                                 const std::vector<StoreFinding> &second) {
    // A file has few findings, and a store as many as it has files.
    std::unordered_multimap<std::string_view, const StoreFinding *> byFile;
    byFile.reserve(first.size());
    for (const StoreFinding &found : first)
        byFile.emplace(found.file, &found);
    std::vector<StoreFinding> both;
    std::ranges::copy_if(second, std::back_inserter(both), [&](const StoreFinding &found) {
        const auto [begin, end] = byFile.equal_range(found.file);
        return std::any_of(begin, end, [&](const auto &each) { return *each.second == found; });
    });
    return both;
}

} // namespace keyhold
