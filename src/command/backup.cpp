// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/backup.h"

#include "command/archive_output.h"
#include "command/backup_archive.h"
#include "command/finding.h"
#include "command/holder.h"
#include "command/lost_store.h"
#include "command/store_keys.h"
#include "command/store_names.h"
#include "conf/error.h"
#include "config.h"
#include "directory/inspection.h"
#include "directory/layout.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <iterator>
#include <thread>
#include <unordered_map>

#include <nlohmann/json.hpp>
#include <sys/utsname.h>
#include <unistd.h>

namespace keyhold::command {

namespace {

/// RFC 3339.
std::string timeText(std::time_t time) {
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, sizeof "0000-00-00T00:00:00Z"> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%FT%TZ", &parts);
    return {text.data(), size};
}

std::string hostName() {
    utsname names{};
    ::uname(&names);
    return names.nodename;
}

/// `count` of them were met, and `example` is one.
[[noreturn]] void refusePlain(const Target &target, std::size_t count, const Uuid &example) {
    throw Error(ErrorCode::configUnsupported,
                counted(count, "value") + " in " + inQuotes(target.paths.configDirectory) +
                    (count == 1 ? " is" : " are") + " plain, such as that of secret " +
                    inQuotes(example.toString()) +
                    ", and everybody who can read the archive could read " +
                    (count == 1 ? "it" : "them") +
                    "; encrypt what is stored (keyhold seal), or add --plain and guard the archive "
                    "as the values");
}

StoreKeys keysOfStore(const Target &target, const std::vector<std::string> &keyFiles) {
    const auto holder = findHolder(target.paths);
    requireNoLostStore(target, holder);
    return readStoreKeys(target, holder, keyFiles);
}

class Backup {
  public:
    Backup(const BackupOptions &options, Target target)
        : options_(options),
          target_(std::move(target)),
          keys_(keysOfStore(target_, options.keyFiles)),
          policy_(*keys_.host.policy),
          directory_(posixFileSystem(), target_.paths.configDirectory) {}

    Exit run() {
        const std::time_t start = std::time(nullptr);
        manifest_.tool = "keyhold " KEYHOLD_VERSION;
        manifest_.host = hostName();
        manifest_.instance = target_.name();
        manifest_.directory = target_.paths.configDirectory;
        manifest_.start = timeText(start);
        const std::vector<Uuid> uuids = secretsIn(directory_);
        if (!options_.withPlain)
            requireNonePlain(uuids);
        if (options_.file == "-")
            writeToOutput(uuids, start);
        else
            writeToFile(uuids, start);
        report();
        return manifest_.leftOut.empty() && sameUses_.empty() ? Exit::clean : Exit::findings;
    }

  private:
    /// Before anything is written.
    void requireNonePlain(const std::vector<Uuid> &uuids) const {
        std::size_t count = 0;
        Uuid example;
        for (const Uuid &uuid : uuids) {
            if (!directory_.contains(layout::valueName(uuid, ValueFormat::plain)))
                continue;
            const auto secret = copySecret(directory_, policy_, uuid);
            if (secret && secret->definition && secret->format == ValueFormat::plain &&
                count++ == 0)
                example = uuid;
        }
        if (count > 0)
            refusePlain(target_, count, example);
    }

    void writeToOutput(const std::vector<Uuid> &uuids, std::time_t start) {
        if (::isatty(STDOUT_FILENO) == 1)
            throw Error(ErrorCode::invalidArgument,
                        "an archive is not written to a terminal; redirect the output");
        if (options_.json)
            throw Error(ErrorCode::invalidArgument,
                        "standard output is for the archive; --json needs a FILE");
        ArchiveOutput output(posixFileSystem(), STDOUT_FILENO, "standard output");
        write(output, uuids, start);
        output.flush();
    }

    void writeToFile(const std::vector<Uuid> &uuids, std::time_t start) {
        NewArchiveFile file(posixFileSystem(), options_.file, options_.replacesFile);
        write(file.output(), uuids, start);
        file.sync();
        const Manifest read =
            readBackup(file.partialPath(), policy_, [](const ArchivedSecret &) {});
        if (read.members != manifest_.members || read.counts != manifest_.counts)
            throw Error(ErrorCode::valueUnreadable, inQuotes(file.partialPath()) +
                                                        " does not read as it was written; check "
                                                        "the disk");
        file.publish();
    }

    void write(ArchiveOutput &output, const std::vector<Uuid> &uuids, std::time_t start) {
        const auto sink = [&](std::span<const std::uint8_t> bytes) { output.write(bytes); };
        BackupWriter writer(sink, start);
        const std::vector<StoreFinding> strays = strayFilesIn(directory_);
        std::vector<StoreFinding> left;
        Progress progress("backup", uuids.size());
        std::size_t done = 0;
        for (const Uuid &uuid : uuids) {
            if (options_.isStopped())
                throw Error(ErrorCode::internal, "interrupted; there is no archive");
            if (auto secret = copySecret(directory_, policy_, uuid))
                add(writer, *secret, left);
            progress.show(++done);
        }
        eraseFinished(left);
        // What was there both times is not of a change that was at work.
        std::ranges::move(inBoth(strays, strayFilesIn(directory_)), std::back_inserter(left));
        for (const Finding &finding : inWords(left, target_.paths.configDirectory))
            manifest_.leftOut.push_back(
                {finding.file, findingKindName(finding.kind), finding.text});
        manifest_.end = timeText(std::time(nullptr));
        writer.finish(manifest_);
    }

    /// In the middle of a change of formats, two files are there for a moment.
    void eraseFinished(std::vector<StoreFinding> &left) const {
        constexpr auto kMoment = std::chrono::milliseconds(500); // once, however many they are
        const auto isShadowed = [](const StoreFinding &finding) {
            return finding.kind == StoreFinding::Kind::shadowedValue;
        };
        if (std::ranges::none_of(left, isShadowed))
            return;
        std::this_thread::sleep_for(kMoment);
        std::erase_if(left, [&](const StoreFinding &finding) {
            return isShadowed(finding) &&
                   !(directory_.contains(finding.file) && directory_.contains(finding.other));
        });
    }

    void add(BackupWriter &writer, SecretCopy &secret, std::vector<StoreFinding> &left) {
        std::ranges::move(secret.findings, std::back_inserter(left));
        if (!secret.definition)
            return;
        if (secret.format == ValueFormat::plain && !options_.withPlain)
            refusePlain(target_, 1, secret.definition->uuid);
        if (secret.format && secret.value.isUnreadable())
            ++unopened_;
        if (!secret.format)
            withoutValue_.push_back(secret.definition->uuid);
        noteUse(*secret.definition);
        writer.add(secret);
    }

    /// A restore of both would be refused.
    void noteUse(const SecretDefinition &definition) {
        if (definition.usage.type == UsageType::none)
            return;
        const auto [other, isNew] = usages_.emplace(definition.usage, definition.uuid);
        if (!isNew)
            sameUses_.push_back({.kind = StoreFinding::Kind::sameUse,
                                 .file = layout::definitionName(definition.uuid),
                                 .other = layout::definitionName(other->second)});
    }

    void report() const {
        const std::vector<Finding> findings = inWords(sameUses_, target_.paths.configDirectory);
        if (options_.json) {
            Json list = Json::array();
            for (const Finding &finding : findings)
                list.push_back(jsonOf(finding));
            Json json = summaryOf(manifest_);
            json["operation"] = "backup";
            json["file"] = options_.file;
            json["unopened"] = unopened_;
            json["findings"] = list;
            if (options_.isVerbose) {
                Json without = Json::array();
                for (const Uuid &uuid : withoutValue_)
                    without.push_back(uuid.toString());
                json["secretsWithoutValue"] = std::move(without);
            }
            printJson(json);
            return;
        }
        const auto say = options_.file == "-" ? tell : print;
        for (const Manifest::LeftOut &each : manifest_.leftOut)
            say("left out: " + each.kind + ": " + inQuotes(each.file) + " " + each.text);
        for (const Finding &finding : findings)
            say(textOf(finding));
        const ArchiveCounts &counts = manifest_.counts;
        say(counted(counts.secrets, "secret") + " of " + inQuotes(manifest_.directory) + " in " +
            (options_.file == "-" ? "the archive" : inQuotes(options_.file)) + ", as of " +
            manifest_.start + " to " + manifest_.end);
        if (!withoutValue_.empty())
            say(counted(withoutValue_.size(), "secret") + " without a value in the archive" +
                (options_.isVerbose ? "" : "; --verbose names each"));
        if (options_.isVerbose) {
            for (const Uuid &uuid : withoutValue_)
                say("no value: " + uuid.toString());
        }
        for (const auto &[keyId, count] : counts.sealed)
            say("needs key " + keyId + " for " + counted(count, "value") +
                ": no key is in the archive; keep it elsewhere");
        if (counts.aes256cbc > 0)
            say("needs the key of " + counted(counts.aes256cbc, "value") +
                " that libvirt encrypted: no key is in the archive; keep it elsewhere");
        if (unopened_ > 0)
            say(counted(unopened_, "value") +
                " not opened, because no configured key is right for it");
        if (counts.plain > 0)
            say(counted(counts.plain, "value") + " plain: guard the archive as the values");
        if (options_.file == "-")
            say("the archive was not read back; keyhold restore FILE does that and changes "
                "nothing");
    }

    const BackupOptions &options_;
    const Target target_;
    const StoreKeys keys_;
    const SealingPolicy &policy_;
    const StoreDirectory directory_;
    Manifest manifest_;
    std::size_t unopened_ = 0; ///< values whose key is not here
    std::vector<Uuid> withoutValue_;
    std::unordered_map<Usage, Uuid, UsageHash> usages_;
    std::vector<StoreFinding> sameUses_;
};

} // namespace

Exit backup(const BackupOptions &options) {
    return Backup(options, chooseTarget(options.target)).run();
}

} // namespace keyhold::command
