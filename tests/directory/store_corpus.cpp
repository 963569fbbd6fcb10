// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/store_corpus.h"

#include "conf/secret_xml.h"
#include "directory/layout.h"
#include "directory/secret_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace keyhold {
namespace {

// "old value" as libvirt writes it, under 32 bytes of 1, and the same with one bit changed in the
// last block, so that it has no padding; made with Python's `cryptography`.
constexpr const char *kCbc = "AAECAwQFBgcICQoLDA0ODyjfltFY4JUcZ2rdcmXnB6o=";
constexpr const char *kMisfit = "AAECAwQFBgcICQoLDA0ODyjfltFY4JUcZ2rdcmXnB6s=";

class Maker {
  public:
    explicit Maker(const StoreFiles &store) : store_(store) {
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
        store_.put(StoreFiles::nameOf(n, suffix), content);
    }
    void putPlain(int n) const { store_.addPlain(n, "plain"); }
    void putCbc(int n) const { put(n, "aes256cbc", kCbc); }
    void putSealed(int n, std::uint8_t key = StoreCorpus::kKey) const {
        store_.addSealed(n, "sealed", key);
    }
    /// Takes no room on the disk.
    void putTooLarge(int n, const std::string &suffix, std::size_t limit) const {
        put(n, suffix, "");
        std::filesystem::resize_file(path(n, suffix), limit + 1);
    }
    [[nodiscard]] std::string path(int n, const std::string &suffix) const {
        return store_.secrets() + "/" + StoreFiles::nameOf(n, suffix);
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
        putSealed(defined(), StoreCorpus::kOtherKey);
        put(defined(), "aes256cbc", kMisfit);
        for (const ValueFormat format : kValueFormats) {
            const std::string suffix(valueFormatName(format));
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
            std::filesystem::create_symlink(StoreFiles::nameOf(loop, suffix), path(loop, suffix));
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
        store_.addSealed(++last_, "", StoreCorpus::kKey);
        for (const ValueFormat format : kValueFormats)
            putTooLarge(defined(), std::string(valueFormatName(format)), maxTextSize(format));
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
            putSealed(both, StoreCorpus::kOtherKey);
            putCbc(both);
            put(both, "base64", first);
        }
        const int behind = defined();
        putPlain(behind);
        put(behind, "jwe", "damaged");
        const int empty = defined();
        putPlain(empty);
        put(empty, "jwe", "");
        // Behind a value there is a file, whatever is in it.
        const int sealsNothing = defined();
        store_.addSealed(sealsNothing, "", StoreCorpus::kKey);
        putPlain(sealsNothing);
        // What cannot be read counts, and hides what is behind it.
        const int fifo = defined();
        putSealed(fifo);
        EXPECT_EQ(::mkfifo(path(fifo, "base64").c_str(), 0600), 0);
        const int dangling = defined();
        putSealed(dangling);
        std::filesystem::create_symlink("nowhere", path(dangling, "base64"));
        const int large = defined();
        putSealed(large);
        putTooLarge(large, "base64", maxTextSize(ValueFormat::plain));
        const int misfit = defined();
        putSealed(misfit);
        put(misfit, "aes256cbc", kMisfit);
        const int unknownKey = defined();
        putSealed(unknownKey, StoreCorpus::kOtherKey);
        putPlain(unknownKey);
    }

    void addDefinitions() {
        const auto document = [](int n, const std::string &attributes, const std::string &inside) {
            return "<secret " + attributes + "><uuid>" + StoreFiles::uuid(n).toString() +
                   "</uuid>" + inside + "</secret>";
        };
        const auto canonical = [](int n) {
            SecretDefinition definition;
            definition.uuid = StoreFiles::uuid(n);
            return formatSecretXml(definition);
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
        putTooLarge(++last_, "xml", kMaxDefinitionFileSize);
        ++last_;
        putPlain(last_);
        store_.put("definition", document(last_, "", ""));
        std::filesystem::remove(path(last_, "xml"));
        std::filesystem::create_symlink("definition", path(last_, "xml"));
        ++last_;
        putPlain(last_);
        put(last_, "xml", canonical(last_)); // as we write it
        ++last_;
        putPlain(last_);
        put(last_, "xml", canonical(1));
    }

    void addOtherFiles() {
        for (const ValueFormat format : kValueFormats) {
            const std::string suffix(valueFormatName(format));
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
            put(defined(), suffix + ".keyhold-for-nohash", "QUJD");
            // The same without a definition.
            for (const std::string other : {".aside-1", ".aside-12", ".keyhold-new", ".keyhold-old",
                                            ".keyhold-leaving", ".keyhold-for-0123456789abcdef"})
                put(++last_, suffix + other, "QUJD");
            // A file that somebody has put there since is the newer one.
            const int since = defined();
            putPlain(since);
            put(since, suffix + ".keyhold-leaving", "QUJD");
            const int brought = defined();
            putPlain(brought);
            put(brought,
                suffix + ".keyhold-for-" + layout::hashOfDefinition(content(brought, "xml")),
                "QUJD");
        }
        const int redefined = defined();
        putPlain(redefined);
        put(redefined, "xml.keyhold-leaving", content(redefined, "xml"));
        const int leaving = defined();
        putPlain(leaving);
        std::filesystem::rename(path(leaving, "xml"), path(leaving, "xml.keyhold-leaving"));
        for (const std::string other : {".keyhold-new", ".keyhold-old", ".keyhold-leaving"}) {
            put(defined(), "xml" + other, "<secret");
            put(++last_, "xml" + other, "<secret");
        }
        put(defined(), "xml.bak", "<secret");
        store_.put("not-a-uuid.xml", "<secret/>");
        store_.put("ABCDEF00-0000-0000-0000-000000000000.xml", "<secret/>");
        store_.put("README", "text");
    }

    const StoreFiles &store_;
    int last_ = 0;
};

} // namespace

StoreCorpus::StoreCorpus(const StoreFiles &store) : size_(Maker(store).size()) {}

} // namespace keyhold
