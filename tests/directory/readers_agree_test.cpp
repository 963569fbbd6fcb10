// SPDX-License-Identifier: LGPL-2.1-or-later
// The driver reads a store to serve it, the inspector to find what is wrong with every file. What
// they say of one store must be the same: which secrets there are, which file of a value counts,
// which values can be read, which are to be re-encrypted, which names are not of a secret.
#include "conf/error.h"
#include "conf/recording_admin_log.h"
#include "directory/directory_backend.h"
#include "directory/inspection.h"
#include "directory/layout.h"
#include "directory/secret_inspection.h"
#include "directory/store_corpus.h"
#include "seal/scratch.h"
#include "store/secret_store.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace keyhold {
namespace {

/// What a reader says of one secret.
struct Seen {
    std::string definition; ///< its use, or "none"
    /// "none", "missing key", "damaged", or the form of the file whose value it is.
    std::string value;

    bool operator==(const Seen &) const = default;
};

void PrintTo(const Seen &seen, std::ostream *out) {
    *out << "use '" << seen.definition << "', value " << seen.value;
}

/// By one reader of one store.
struct View {
    std::map<Uuid, Seen> secrets;
    std::vector<Uuid> reencryptable;
};

const char *nameOf(const Error &reason) {
    return reason.code() == ErrorCode::invalidEncryptionKey ? "missing key" : "damaged";
}

/// The values of the corpus say which file they are from.
std::string formOf(const Uuid &uuid, const ShieldedValue &value) {
    Scratch plain(value.size());
    value.openInside(uuid, plain);
    const std::string_view text(reinterpret_cast<const char *>(plain.bytes().data()),
                                plain.bytes().size());
    if (text == "sealed")
        return "jwe";
    return text == "old value" ? "aes256cbc" : "base64";
}

class Driver {
  public:
    Driver(const StoreFiles &store, const std::shared_ptr<const SealingPolicy> &policy) {
        const auto current = std::make_shared<CurrentPolicy>();
        current->set(policy);
        backend_ = std::make_shared<DirectoryBackend>(
            std::make_unique<StoreDirectory>(posixFileSystem(), store.secrets()), log_);
        policy_ = current;
        barrier_ = std::make_unique<Barrier>(backend_, policy_);
    }

    /// As at a start, which puts right what was interrupted.
    void recover() { backend_->start(); }

    [[nodiscard]] View view() {
        View view;
        for (const ListedSecret &listed : backend_->list(Strays::told))
            view.secrets[listed.uuid] = seen(listed);
        view.reencryptable = barrier_->reencryptable();
        return view;
    }
    /// What it serves after a start.
    [[nodiscard]] std::set<Uuid> served() {
        SecretStore store(backend_, policy_, log_);
        store.load();
        std::set<Uuid> uuids;
        for (const RecordPtr &record : store.all())
            uuids.insert(record->definition.uuid);
        return uuids;
    }

    [[nodiscard]] const RecordingAdminLog &log() const { return log_; }

  private:
    Seen seen(const ListedSecret &listed) {
        try {
            const auto stored = barrier_->read(listed);
            if (!stored)
                return {"none", "none"};
            if (stored->value.isUnreadable())
                return {stored->definition.usage.id, nameOf(stored->value.reason())};
            const ShieldedValue *value = stored->value.shielded();
            return {stored->definition.usage.id, value ? formOf(listed.uuid, *value) : "none"};
        } catch (const Error &) {
            return {"none", "none"};
        }
    }

    RecordingAdminLog log_;
    std::shared_ptr<DirectoryBackend> backend_;
    std::shared_ptr<const CurrentPolicy> policy_;
    std::unique_ptr<Barrier> barrier_;
};

std::string valueOf(const Uuid &uuid, const SecretInspection &secret) {
    if (!secret.format)
        return "none";
    if (!secret.isUnreadable)
        return std::string(valueFormatName(*secret.format));
    const std::string file = layout::valueName(uuid, *secret.format);
    const bool lacksKey = std::ranges::any_of(secret.findings, [&](const StoreFinding &finding) {
        return finding.kind == StoreFinding::Kind::missingKey && finding.file == file;
    });
    return lacksKey ? "missing key" : "damaged";
}

View viewOfCommand(const StoreFiles &store, const SealingPolicy &policy, int size) {
    const StoreDirectory directory(posixFileSystem(), store.secrets());
    View view;
    for (int n = 1; n <= size; ++n) {
        const Uuid uuid = StoreFiles::uuid(n);
        if (!directory.contains(layout::definitionName(uuid)))
            continue;
        const SecretInspection checked = inspectSecret(directory, policy, uuid);
        view.secrets[uuid] = checked.definition
                                 ? Seen{checked.definition->usage.id, valueOf(uuid, checked)}
                                 : Seen{"none", "none"};
    }
    view.reencryptable = inspect(directory, policy).reencryptable;
    return view;
}

struct Rules {
    const char *name;
    std::uint8_t current;
    std::vector<std::uint8_t> earlier;
    bool mustSeal;
    bool convertExisting;
};

void PrintTo(const Rules &rules, std::ostream *out) {
    *out << rules.name;
}

class ReadersAgree : public testing::TestWithParam<Rules> {
  protected:
    void expectSame() {
        const View ofDriver = driver.view();
        const View ofCommand = viewOfCommand(store, *policy, corpus.size());
        for (const auto &[uuid, seen] : ofDriver.secrets)
            EXPECT_EQ(seen, ofCommand.secrets.at(uuid)) << uuid.toString();
        EXPECT_EQ(ofDriver.secrets.size(), ofCommand.secrets.size());
        // A value under a definition that cannot be read is the command's alone to re-encrypt.
        std::vector<Uuid> reencryptable = ofCommand.reencryptable;
        std::erase_if(reencryptable, [&](const Uuid &uuid) {
            return ofCommand.secrets.at(uuid).definition == "none";
        });
        EXPECT_EQ(reencryptable, ofDriver.reencryptable);
        const Inspection found =
            inspect(StoreDirectory(posixFileSystem(), store.secrets()), *policy);
        EXPECT_EQ(found.secrets, ofDriver.secrets.size());
    }

    [[nodiscard]] std::vector<std::string> filesFound(StoreFinding::Kind kind) const {
        std::vector<std::string> files;
        for (const StoreFinding &finding :
             inspect(StoreDirectory(posixFileSystem(), store.secrets()), *policy).findings) {
            if (finding.kind == kind)
                files.push_back(finding.file);
        }
        return files;
    }
    /// The inspector finds the files that lines of the driver with `text` name, and no others.
    void expectSameFiles(StoreFinding::Kind kind, const std::string &text) const {
        const auto files = filesFound(kind);
        for (const std::string &file : files)
            EXPECT_TRUE(driver.log().mentions("'" + store.secrets() + "/" + file + "'")) << file;
        EXPECT_EQ(std::ranges::count_if(driver.log().lines(),
                                        [&](const std::string &line) {
                                            return line.find(text) != std::string::npos;
                                        }),
                  std::ssize(files));
    }

    StoreFiles store;
    StoreCorpus corpus{store};
    std::shared_ptr<const SealingPolicy> policy =
        policyOf(GetParam().current, GetParam().earlier,
                 {GetParam().mustSeal, GetParam().convertExisting, ""});
    Driver driver{store, policy};
};

INSTANTIATE_TEST_SUITE_P(
    Rules, ReadersAgree,
    testing::Values(Rules{"NoKey", 0, {}, false, false}, Rules{"KeyIsMissing", 0, {}, true, false},
                    Rules{"SealsNew", StoreCorpus::kKey, {}, true, false},
                    Rules{"SealsAll", StoreCorpus::kKey, {}, true, true},
                    Rules{"Rekeys", StoreCorpus::kOtherKey, {StoreCorpus::kKey}, true, false},
                    Rules{"OpensOnly", 0, {StoreCorpus::kKey}, false, false},
                    Rules{
                        "UnsealsAll", 0, {StoreCorpus::kKey, StoreCorpus::kOtherKey}, false, true}),
    [](const auto &tested) { return tested.param.name; });

TEST(StoreCorpus, HasValuesOfEveryKind) {
    const StoreFiles store;
    const StoreCorpus corpus(store);
    std::set<std::string> kinds;
    for (const auto &[uuid, seen] :
         viewOfCommand(store, *policyOf(StoreCorpus::kKey), corpus.size()).secrets)
        kinds.insert(seen.value);
    EXPECT_THAT(kinds, testing::ElementsAre("aes256cbc", "base64", "damaged", "jwe", "missing key",
                                            "none"));
}

TEST(StoreCorpus, HasFilesOfEveryKind) {
    using Kind = StoreFinding::Kind;
    const StoreFiles store;
    const StoreCorpus corpus(store);
    std::set<Kind> kinds;
    for (const StoreFinding &finding :
         inspect(StoreDirectory(posixFileSystem(), store.secrets()), *policyOf(StoreCorpus::kKey))
             .findings)
        kinds.insert(finding.kind);
    EXPECT_THAT(kinds, testing::IsSupersetOf(
                           {Kind::unreadableDefinition, Kind::definesAnother,
                            Kind::misnamedDefinition, Kind::unreadableFile, Kind::damagedValue,
                            Kind::missingKey, Kind::shadowedValue, Kind::orphanedValue,
                            Kind::privateName, Kind::quarantinedValue, Kind::unknownName}));
    std::set<std::pair<layout::Stage, bool>> names;
    for (const auto &entry : std::filesystem::directory_iterator(store.secrets())) {
        if (const auto file = layout::parseFileName(entry.path().filename().string()))
            names.emplace(file->stage, file->form.has_value());
    }
    const std::size_t stages = static_cast<std::size_t>(layout::Stage::awaiting) + 1;
    EXPECT_EQ(names.size(), 2 * stages - 1); // no definition awaits anything
}

TEST_P(ReadersAgree, BesideWhatInterruptedChangesLeft) {
    expectSame();
}

TEST_P(ReadersAgree, AfterAStart) {
    driver.recover();
    EXPECT_THAT(filesFound(StoreFinding::Kind::privateName), testing::IsEmpty());
    expectSameFiles(StoreFinding::Kind::orphanedValue, "belongs to no secret; it is left alone");
    expectSameFiles(StoreFinding::Kind::misnamedDefinition,
                    "<uuid> does not match secret file name");
    expectSame();
}

TEST_P(ReadersAgree, WhatIsServedIsWhatHasAReadableDefinition) {
    const std::set<Uuid> served = driver.served();
    std::set<Uuid> readable;
    for (const auto &[uuid, seen] : viewOfCommand(store, *policy, corpus.size()).secrets) {
        if (seen.definition != "none")
            readable.insert(uuid);
    }
    EXPECT_EQ(served, readable);
}

} // namespace
} // namespace keyhold
