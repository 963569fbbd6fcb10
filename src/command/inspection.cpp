// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/inspection.h"

#include "command/secret_check.h"
#include "directory/layout.h"
#include "os/parallel.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <thread>
#include <unordered_map>

#include <sys/stat.h>

namespace keyhold::command {

namespace {

constexpr mode_t kOfOthers = S_IRWXG | S_IRWXO;
constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

struct Names {
    std::set<Uuid> definitions;
    std::vector<layout::FileName> values;
    std::vector<std::string> leftovers;
    std::vector<std::string> asides;
    std::vector<std::string> misnamed; ///< would be definitions, but for their names
    std::vector<std::string> unknown;  ///< begin as those of a secret
};

bool isAsideName(std::string_view name) {
    const std::size_t at = name.rfind(".aside-");
    if (at == std::string_view::npos || name.size() == at + 7 ||
        name.find_first_not_of("0123456789", at + 7) != std::string_view::npos)
        return false;
    const auto file = layout::parseFileName(name.substr(0, at));
    return file && file->kind == layout::FileKind::value;
}

Names namesIn(const StoreDirectory &directory) {
    Names names;
    directory.list([&](const char *entry) {
        const std::string name = entry;
        const auto file = layout::parseFileName(name);
        if (file && file->kind == layout::FileKind::definition)
            names.definitions.insert(file->uuid);
        else if (file && file->kind == layout::FileKind::value)
            names.values.push_back(*file);
        else if (file)
            names.leftovers.push_back(name);
        else if (isAsideName(name))
            names.asides.push_back(name);
        else if (layout::hasDefinitionSuffix(name))
            names.misnamed.push_back(name);
        else if (Uuid::parseCanonical(name.substr(0, Uuid::kTextLength)))
            names.unknown.push_back(name);
    });
    return names;
}

class Inspector {
  public:
    Inspector(const StoreDirectory &directory, Inspection &out)
        : directory_(directory),
          out_(out),
          owner_(directory.status().owner) {}

    void checkDirectory() {
        const FileStatus status = directory_.status();
        if ((status.mode & kOfOthers) != 0)
            out_.findings.push_back({Finding::Kind::directory, directory_.path(),
                                     "is open to other users; chmod 0700 it"});
    }

    void checkNames(Names &names) {
        const auto add = [&](Finding::Kind kind, std::vector<std::string> &of, const char *text) {
            std::sort(of.begin(), of.end());
            for (const std::string &name : of)
                out_.findings.push_back({kind, directory_.pathOf(name), text});
        };
        add(Finding::Kind::leftover, names.leftovers,
            "is left over from an interrupted change; the next start of a daemon, or seal, rekey "
            "or unseal without one, puts it right");
        add(Finding::Kind::aside, names.asides,
            "was put aside because nobody could read it, it belonged to no secret, or libvirt had "
            "encrypted it and it was re-encrypted; put it right, or remove it once its secret has "
            "the value it should have");
        add(Finding::Kind::definition, names.misnamed,
            "is not loaded, because its name is not a uuid in lower case; rename it");
        add(Finding::Kind::unknown, names.unknown,
            "is nothing that this driver knows; if it is a copy, it may hold a value");
        for (const layout::FileName &file : names.values) {
            if (!names.definitions.contains(file.uuid))
                out_.findings.push_back(
                    {Finding::Kind::orphan,
                     directory_.pathOf(layout::valueName(file.uuid, file.form)),
                     "belongs to no secret; put its definition back, or remove it"});
        }
    }

    void checkFiles(const Names &names) {
        for (const Uuid &uuid : names.definitions)
            checkFile(layout::definitionName(uuid), kWritableByOthers,
                      "can be written by other users; chmod 0600 it");
        constexpr const char *kValue = "can be read or written by other users; chmod 0600 it";
        for (const layout::FileName &file : names.values)
            checkFile(layout::valueName(file.uuid, file.form), kOfOthers, kValue);
        for (const auto *more : {&names.leftovers, &names.asides, &names.unknown})
            for (const std::string &name : *more)
                checkFile(name, kOfOthers, kValue);
    }

    void checkSecrets(const std::set<Uuid> &definitions, const SealingPolicy &policy) {
        const std::vector<Uuid> uuids(definitions.begin(), definitions.end());
        std::vector<CheckedSecret> checked(uuids.size());
        parallelFor(uuids.size(),
                    [&](std::size_t i) { checked[i] = checkSecret(directory_, policy, uuids[i]); });
        for (std::size_t i = 0; i < uuids.size(); ++i)
            add(uuids[i], checked[i]);
    }

  private:
    void checkFile(const std::string &name, mode_t forbidden, const char *text) {
        FileStatus status;
        // Not there: it went meanwhile, or is a link to nothing, which reading it tells.
        if (directory_.fileSystem().statusAt(directory_.number(), name.c_str(), status) < 0)
            return;
        if ((status.mode & forbidden) != 0)
            out_.findings.push_back({Finding::Kind::mode, directory_.pathOf(name), text});
        if (status.owner != owner_ && status.owner != 0)
            out_.findings.push_back({Finding::Kind::owner, directory_.pathOf(name),
                                     "belongs to user " + std::to_string(status.owner) +
                                         "; chown it to " + std::to_string(owner_)});
    }

    void add(const Uuid &uuid, CheckedSecret &secret) {
        ++out_.secrets;
        if (!secret.form)
            ++out_.noValue;
        else if (*secret.form == ValueFormat::plain)
            ++out_.plain;
        else if (*secret.form == ValueFormat::aes256cbc)
            ++out_.aes256cbc;
        else
            ++out_.sealed[secret.keyId];
        if (secret.isUnreadable)
            ++out_.unreadable;
        if (secret.needsReencryption)
            out_.reencryptable.push_back(uuid);
        for (Finding &finding : secret.findings)
            out_.findings.push_back(std::move(finding));
        if (!secret.usage || secret.usage->type == UsageType::none)
            return;
        const auto [first, isNew] = usages_.emplace(*secret.usage, uuid);
        if (!isNew)
            out_.findings.push_back({Finding::Kind::definition,
                                     directory_.pathOf(layout::definitionName(uuid)),
                                     "has the same use as '" +
                                         directory_.pathOf(layout::definitionName(first->second)) +
                                         "'; only one of them is loaded"});
    }

    const StoreDirectory &directory_;
    Inspection &out_;
    const uid_t owner_;
    std::unordered_map<Usage, Uuid, UsageHash> usages_;
};

} // namespace

Inspection inspect(const InstancePaths &paths, const SealingPolicy &policy) {
    return inspect(StoreDirectory(posixFileSystem(), paths.configDirectory), policy);
}

Inspection inspect(const StoreDirectory &directory, const SealingPolicy &policy) {
    Names names = namesIn(directory);
    Inspection out;
    Inspector inspector(directory, out);
    inspector.checkDirectory();
    inspector.checkNames(names);
    inspector.checkFiles(names);
    inspector.checkSecrets(names.definitions, policy);
    return out;
}

Inspection inspectBeside(const InstancePaths &paths, const SealingPolicy &policy) {
    constexpr auto kMoment = std::chrono::milliseconds(500);
    Inspection first = inspect(paths, policy);
    if (first.findings.empty())
        return first;
    std::this_thread::sleep_for(kMoment);
    Inspection second = inspect(paths, policy);
    second.findings = inBoth(first.findings, second.findings);
    return second;
}

std::vector<Finding> inBoth(const std::vector<Finding> &first, const std::vector<Finding> &second) {
    std::vector<Finding> both;
    std::copy_if(second.begin(), second.end(), std::back_inserter(both), [&](const Finding &found) {
        return std::find(first.begin(), first.end(), found) != first.end();
    });
    return both;
}

} // namespace keyhold::command
