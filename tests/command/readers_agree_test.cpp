// SPDX-License-Identifier: LGPL-2.1-or-later
// The driver and the command each read a store in their own way: the one to serve it, the other to
// tell what is wrong with every file. What they say of one store must be the same: which secrets
// there are, which file of a value counts, which values can be had, which are to be written anew.
#include "command/inspection.h"
#include "command/secret_check.h"
#include "command/store_on_disk.h"
#include "conf/error.h"
#include "host/host_fixture.h"
#include "seal/scratch.h"
#include "store/directory_backend.h"
#include "store/layout.h"
#include "store/secret_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <sys/stat.h>
#include <unistd.h>

namespace keyhold::command {
namespace {

constexpr std::uint8_t kKey = 1;
constexpr std::uint8_t kOtherKey = 2;
// "old value" as libvirt writes it, under 32 bytes of 1, and the same with one bit changed in the
// last block, so that it has no padding; made with Python's `cryptography`.
constexpr const char *kCbc = "AAECAwQFBgcICQoLDA0ODyjfltFY4JUcZ2rdcmXnB6o=";
constexpr const char *kMisfit = "AAECAwQFBgcICQoLDA0ODyjfltFY4JUcZ2rdcmXnB6s=";

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
    std::vector<Uuid> outdated;
};

/// A store with everything that the two might see differently, each on a uuid of its own.
class Corpus {
  public:
    explicit Corpus(const StoreOnDisk &store) : store_(store) {
        addOneForm();
        addSeveralForms();
        addDefinitions();
        addOtherFiles();
    }

    [[nodiscard]] int size() const { return last_; }

  private:
    int defined() {
        store_.define(++last_);
        return last_;
    }
    void put(int n, const std::string &suffix, const std::string &content) const {
        store_.put(StoreOnDisk::nameOf(n, suffix), content);
    }
    void putPlain(int n) const { store_.addPlain(n, "plain"); }
    void putCbc(int n) const { put(n, "aes256cbc", kCbc); }
    void putSealed(int n, std::uint8_t key = kKey) const { store_.addSealed(n, "sealed", key); }
    [[nodiscard]] std::string path(int n, const std::string &suffix) const {
        return store_.secrets() + "/" + StoreOnDisk::nameOf(n, suffix);
    }
    [[nodiscard]] std::string content(int n, const std::string &suffix) const {
        std::ifstream file(path(n, suffix), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    void addOneForm() {
        defined();
        putPlain(defined());
        putCbc(defined());
        putSealed(defined());
        putSealed(defined(), kOtherKey);
        put(defined(), "aes256cbc", kMisfit);
        for (const std::string suffix : {"base64", "aes256cbc", "jwe"}) {
            put(defined(), suffix, "");
            put(defined(), suffix, "\n");
            put(defined(), suffix, " \t\n \n");
            put(defined(), suffix, "no base64 !");
            put(defined(), suffix, std::string(300, '\0'));
            put(defined(), suffix, "QUJD");
            put(defined(), suffix, "QUJD\n");
            put(defined(), suffix, "QUJ");
            EXPECT_TRUE(std::filesystem::create_directory(path(defined(), suffix)));
            std::filesystem::create_symlink("nowhere", path(defined(), suffix));
            const int loop = defined();
            std::filesystem::create_symlink(StoreOnDisk::nameOf(loop, suffix), path(loop, suffix));
            EXPECT_EQ(::mkfifo(path(defined(), suffix).c_str(), 0600), 0);
        }
        const int cut = defined();
        putSealed(cut);
        put(cut, "jwe", content(cut, "jwe").substr(0, 150));
        const int altered = defined();
        putSealed(altered);
        std::string text = content(altered, "jwe");
        text[text.size() - 30] = text[text.size() - 30] == 'A' ? 'B' : 'A';
        put(altered, "jwe", text);
        put(defined(), "jwe", content(4, "jwe")); // of another secret
        const int newline = defined();
        putSealed(newline);
        put(newline, "jwe", content(newline, "jwe") + "\n");
        const int linked = defined();
        store_.put("elsewhere", "QUJD");
        std::filesystem::create_symlink("elsewhere", path(linked, "base64"));
    }

    void addSeveralForms() {
        const std::string blanks[] = {"", "\n", "no base64 !"};
        for (const int forms : {3, 5, 6, 7}) { // one bit for each form
            const int n = defined();
            if ((forms & 4) != 0)
                putSealed(n);
            if ((forms & 2) != 0)
                putCbc(n);
            if ((forms & 1) != 0)
                putPlain(n);
        }
        for (const std::string &first : blanks) {
            const int plain = defined();
            putSealed(plain);
            put(plain, "base64", first);
            const int cbc = defined();
            putSealed(cbc);
            put(cbc, "aes256cbc", first);
            const int both = defined();
            putSealed(both, kOtherKey);
            putCbc(both);
            put(both, "base64", first);
        }
        const int behind = defined();
        putPlain(behind);
        put(behind, "jwe", "damaged");
        const int empty = defined();
        putPlain(empty);
        put(empty, "jwe", "");
    }

    void addDefinitions() {
        const auto document = [](int n, const std::string &attributes, const std::string &inside) {
            return "<secret " + attributes + "><uuid>" + StoreOnDisk::uuid(n).toString() +
                   "</uuid>" + inside + "</secret>";
        };
        for (const std::string text : {"", "\n", "no document", "<secret><uuid>", "<domain/>",
                                       "<secret/>", "<secret><uuid>nope</uuid></secret>",
                                       "<!DOCTYPE s [<!ENTITY e 'v'>]><secret>&e;</secret>"}) {
            ++last_;
            putPlain(last_);
            put(last_, "xml", text);
        }
        const std::pair<const char *, const char *> variants[] = {
            {"", ""},
            {"ephemeral='yes'", ""},
            {"private='yes'", ""},
            {"private='maybe'", ""},
            {"", "<usage type='bogus'><name>x</name></usage>"},
            {"", "<usage type='ceph'/>"},
            {"xmlns='urn:x'", ""},
            {"", "<description>&amp;</description>"}};
        for (const auto &[attributes, inside] : variants) {
            ++last_;
            putPlain(last_);
            put(last_, "xml", document(last_, attributes, inside));
        }
        ++last_;
        putPlain(last_);
        put(last_, "xml", document(1, "", "")); // another's
        ++last_;
        EXPECT_TRUE(std::filesystem::create_directory(path(last_, "xml")));
        ++last_;
        std::filesystem::create_symlink("nowhere", path(last_, "xml"));
        ++last_;
        EXPECT_EQ(::mkfifo(path(last_, "xml").c_str(), 0600), 0);
        ++last_;
        put(last_, "xml",
            "<?xml version='1.0' encoding='ISO-8859-1'?>" +
                document(last_, "", "<description>\xe9</description>"));
    }

    void addOtherFiles() {
        for (const std::string suffix : {"base64", "aes256cbc", "jwe"}) {
            put(++last_, suffix, "QUJD"); // of no secret
            const int n = defined();
            for (const std::string other :
                 {".aside-1", ".keyhold-new", ".keyhold-old", ".bak", "~"})
                put(n, suffix + other, "QUJD");
            put(defined(), suffix + ".keyhold-leaving", "QUJD");
            const int waiting = defined();
            const std::string text = content(waiting, "xml");
            put(waiting, suffix + ".keyhold-for-" + layout::hashOfDefinition(text), "QUJD");
            put(defined(), suffix + ".keyhold-for-0123456789abcdef", "QUJD");
        }
        const int redefined = defined();
        putPlain(redefined);
        put(redefined, "xml.keyhold-leaving", content(redefined, "xml"));
        const int leaving = defined();
        putPlain(leaving);
        std::filesystem::rename(path(leaving, "xml"), path(leaving, "xml.keyhold-leaving"));
        put(defined(), "xml.keyhold-new", "<secret");
        store_.put("not-a-uuid.xml", "<secret/>");
        store_.put("ABCDEF00-0000-0000-0000-000000000000.xml", "<secret/>");
        store_.put("README", "text");
    }

    const StoreOnDisk &store_;
    int last_ = 0;
};

const char *nameOf(const Error &reason) {
    return reason.code() == ErrorCode::invalidEncryptionKey ? "missing key" : "damaged";
}

/// The values of the corpus tell which file they are from.
std::string formOf(const Uuid &uuid, const ShieldedValue &value) {
    Scratch plain(value.size());
    value.open(uuid, plain.bytes());
    const std::string_view text(reinterpret_cast<const char *>(plain.bytes().data()),
                                plain.bytes().size());
    if (text == "sealed")
        return "jwe";
    return text == "old value" ? "aes256cbc" : "base64";
}

class Driver {
  public:
    Driver(const StoreOnDisk &store, const std::shared_ptr<const AtRest> &atRest) {
        const auto current = std::make_shared<CurrentAtRest>();
        current->set(atRest);
        backend_ = std::make_shared<DirectoryBackend>(
            std::make_unique<StoreDirectory>(posixFileSystem(), store.secrets()), journal_,
            current);
    }

    /// As at a start, which puts right what was interrupted.
    void recover() { backend_->recover(); }

    [[nodiscard]] View view() {
        View view;
        for (const ListedSecret &listed : backend_->list())
            view.secrets[listed.uuid] = seen(listed);
        view.outdated = backend_->outdated();
        return view;
    }
    /// What it serves after a start.
    [[nodiscard]] std::set<Uuid> served() {
        SecretStore store(backend_, journal_);
        store.load();
        std::set<Uuid> uuids;
        for (const RecordPtr &record : store.all())
            uuids.insert(record->definition.uuid);
        return uuids;
    }

  private:
    Seen seen(const ListedSecret &listed) {
        try {
            const auto stored = backend_->read(listed);
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

    LineJournal journal_;
    std::shared_ptr<DirectoryBackend> backend_;
};

std::string valueOf(const StoreDirectory &directory, const Uuid &uuid,
                    const CheckedSecret &secret) {
    if (!secret.form)
        return "none";
    if (!secret.isUnreadable)
        return std::string(nameOf(*secret.form));
    const std::string file = directory.pathOf(layout::valueName(uuid, *secret.form));
    const bool lacksKey = std::ranges::any_of(secret.findings, [&](const Finding &finding) {
        return finding.kind == Finding::Kind::missingKey && finding.file == file;
    });
    return lacksKey ? "missing key" : "damaged";
}

View viewOfCommand(const StoreOnDisk &store, const AtRest &atRest, int size) {
    const StoreDirectory directory(posixFileSystem(), store.secrets());
    View view;
    for (int n = 1; n <= size; ++n) {
        const Uuid uuid = StoreOnDisk::uuid(n);
        if (!directory.contains(layout::definitionName(uuid)))
            continue;
        const CheckedSecret checked = checkSecret(directory, atRest, uuid);
        view.secrets[uuid] = checked.usage
                                 ? Seen{checked.usage->id, valueOf(directory, uuid, checked)}
                                 : Seen{"none", "none"};
    }
    view.outdated = inspect(store.target().paths, atRest).outdated;
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
        const View ofCommand = viewOfCommand(store, *atRest, corpus.size());
        for (const auto &[uuid, seen] : ofDriver.secrets)
            EXPECT_EQ(seen, ofCommand.secrets.at(uuid)) << uuid.toString();
        EXPECT_EQ(ofDriver.secrets.size(), ofCommand.secrets.size());
        // A value under a definition that cannot be read is the command's alone to write anew.
        std::vector<Uuid> outdated = ofCommand.outdated;
        std::erase_if(outdated, [&](const Uuid &uuid) {
            return ofCommand.secrets.at(uuid).definition == "none";
        });
        EXPECT_EQ(outdated, ofDriver.outdated);
        const Inspection found = inspect(store.target().paths, *atRest);
        EXPECT_EQ(found.secrets, ofDriver.secrets.size());
    }

    StoreOnDisk store;
    Corpus corpus{store};
    std::shared_ptr<const AtRest> atRest =
        atRestOf(GetParam().current, GetParam().earlier,
                 {GetParam().mustSeal, GetParam().convertExisting, ""});
    Driver driver{store, atRest};
};

INSTANTIATE_TEST_SUITE_P(Rules, ReadersAgree,
                         testing::Values(Rules{"NoKey", 0, {}, false, false},
                                         Rules{"KeyIsMissing", 0, {}, true, false},
                                         Rules{"SealsNew", kKey, {}, true, false},
                                         Rules{"SealsAll", kKey, {}, true, true},
                                         Rules{"Rekeys", kOtherKey, {kKey}, true, false},
                                         Rules{"OpensOnly", 0, {kKey}, false, false},
                                         Rules{"UnsealsAll", 0, {kKey, kOtherKey}, false, true}),
                         [](const auto &tested) { return tested.param.name; });

TEST_P(ReadersAgree, BesideWhatInterruptedChangesLeft) {
    expectSame();
}

TEST_P(ReadersAgree, AfterAStart) {
    driver.recover();
    expectSame();
}

TEST_P(ReadersAgree, WhatIsServedIsWhatHasAReadableDefinition) {
    const std::set<Uuid> served = driver.served();
    std::set<Uuid> readable;
    for (const auto &[uuid, seen] : viewOfCommand(store, *atRest, corpus.size()).secrets) {
        if (seen.definition != "none")
            readable.insert(uuid);
    }
    EXPECT_EQ(served, readable);
}

} // namespace
} // namespace keyhold::command
