// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/backup_archive.h"
#include "command/sha256.h"
#include "conf/error.h"
#include "directory/store_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using testing::HasSubstr;
using Members = std::vector<std::pair<std::string, std::string>>;

std::span<const std::uint8_t> bytesOf(const std::string &text) {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

std::string nameOf(int n, const std::string &suffix) {
    return "secrets/" + StoreFiles::nameOf(n, suffix);
}

std::string definitionOf(int n) {
    return "<secret><uuid>" + StoreFiles::uuid(n).toString() + "</uuid></secret>";
}

class BackupArchive : public testing::Test {
  protected:
    /// Made of these members and a manifest that is right for them, less than `unlisted`.
    std::string make(const Members &members, const Members &behind = {}) {
        std::string made;
        TarWriter tar([&](auto bytes) { made.append(bytes.begin(), bytes.end()); }, 0);
        for (const auto &[name, content] : members) {
            tar.add(name, bytesOf(content));
            manifest.members.push_back({name, content.size(), sha256Of(bytesOf(content))});
        }
        tar.add("MANIFEST.json", bytesOf(formatManifest(manifest)));
        for (const auto &[name, content] : behind)
            tar.add(name, bytesOf(content));
        tar.close();
        manifest = {};
        return made;
    }
    std::string sealedText(int n) const {
        const StoreFiles store;
        store.addSealed(n, "value", 7);
        return store.files()[StoreFiles::nameOf(n, "jwe")];
    }
    /// Two secrets, one with a sealed value.
    std::string sample() {
        manifest.counts = {.secrets = 2, .withoutValue = 1, .sealed = {{keyIdOf(7), 1}}};
        manifest.host = "host";
        return make({{nameOf(1, "xml"), definitionOf(1)},
                     {nameOf(1, "jwe"), sealed},
                     {nameOf(2, "xml"), definitionOf(2)}});
    }
    /// What a reading gives, or the error.
    std::string read(const std::string &archive) {
        std::ofstream(path, std::ios::binary) << archive;
        std::string seen;
        try {
            readBackup(path, *policy, [&](const ArchivedSecret &secret) {
                seen += secret.definition.uuid.toString() + " ";
                if (secret.encoded)
                    seen.append(secret.encoded->bytes.begin(), secret.encoded->bytes.end());
            });
        } catch (const Error &error) {
            return "refused: " + error.fullText();
        }
        return seen;
    }
    /// An archive of these, which is refused.
    std::string refusal(const Members &members, const Members &behind = {}) {
        manifest.counts.secrets = members.size();
        manifest.counts.withoutValue = members.size();
        return read(make(members, behind));
    }

    StoreFiles files;
    const std::string path = files.root() + "/archive.tar";
    std::shared_ptr<const SealingPolicy> policy = policyOf(7);
    const std::string sealed = sealedText(1);
    Manifest manifest;
};

TEST_F(BackupArchive, GivesWhatWasWritten) {
    EXPECT_EQ(read(sample()),
              StoreFiles::uuid(1).toString() + " " + sealed + StoreFiles::uuid(2).toString() + " ");
}

TEST_F(BackupArchive, IsReadWithoutTheKeyAsWell) {
    policy = policyOf(0);
    EXPECT_THAT(read(sample()), HasSubstr(sealed));
}

TEST_F(BackupArchive, NoByteThatCountsCanBeAnother) {
    const std::string good = sample();
    const std::string seen = read(good);
    std::size_t refused = 0;
    for (std::size_t i = 0; i < good.size(); i += 5) { // all places in blocks of 512
        std::string altered = good;
        altered[i] = static_cast<char>(altered[i] ^ 1);
        const std::string result = read(altered);
        if (result.starts_with("refused: '" + path))
            ++refused;
        else
            ASSERT_EQ(result, seen)
                << "byte " << i; // padding, or a line of the manifest for people
    }
    EXPECT_GT(refused, good.size() / 15);
}

TEST_F(BackupArchive, OneThatIsCutOffIsRefused) {
    const std::string good = sample();
    const std::string seen = read(good);
    const std::size_t end = good.find_last_not_of('\0') + 1;
    for (std::size_t size = 0; size < good.size(); size += 5) {
        const std::string result = read(good.substr(0, size));
        if (size >= end && result == seen)
            continue; // only zeros are missing
        ASSERT_THAT(result, HasSubstr("refused: '" + path)) << size;
    }
    EXPECT_THAT(read(make({}).substr(0, 0)), HasSubstr("no tar archive"));
}

TEST_F(BackupArchive, NamesAreThoseOfABackup) {
    for (const char *name :
         {"../secrets/x", "/etc/passwd", "secrets/../../etc/passwd", "secrets/x.xml", "x"})
        EXPECT_THAT(refusal({{name, "x"}}), HasSubstr("which no backup has")) << name;
    for (const std::string suffix :
         {"xml.keyhold-new", "base64.keyhold-leaving", "base64.aside-1", "xml/x", "XML"})
        EXPECT_THAT(refusal({{nameOf(1, suffix), definitionOf(1)}}),
                    HasSubstr("which no backup has"))
            << suffix;
    const std::string other = "secrets/0000000A" + StoreFiles::nameOf(1, "xml").substr(8);
    EXPECT_THAT(refusal({{other, definitionOf(1)}}), HasSubstr("which no backup has"));
}

TEST_F(BackupArchive, EachSecretComesOnceAndInOrder) {
    const std::string one = definitionOf(1);
    const std::string two = definitionOf(2);
    EXPECT_THAT(refusal({{nameOf(1, "xml"), one}, {nameOf(1, "xml"), one}}), HasSubstr("twice"));
    EXPECT_THAT(refusal({{nameOf(2, "xml"), two}, {nameOf(1, "xml"), one}}),
                HasSubstr("out of order"));
    EXPECT_THAT(refusal({{nameOf(1, "jwe"), sealed}}), HasSubstr("does not follow"));
    EXPECT_THAT(refusal({{nameOf(2, "xml"), two}, {nameOf(1, "jwe"), sealed}}),
                HasSubstr("does not follow"));
    EXPECT_THAT(
        refusal(
            {{nameOf(1, "xml"), one}, {nameOf(1, "base64"), "dmFs"}, {nameOf(1, "jwe"), sealed}}),
        HasSubstr("does not follow"));
}

TEST_F(BackupArchive, WhatIsInAMemberIsOfItsSecret) {
    EXPECT_THAT(refusal({{nameOf(1, "xml"), definitionOf(2)}}), HasSubstr("of another secret"));
    EXPECT_THAT(refusal({{nameOf(1, "xml"), "<secret>"}}), HasSubstr("cannot be read"));
    for (const auto key : {std::uint8_t{7}, std::uint8_t{0}}) {
        policy = policyOf(key);
        EXPECT_THAT(refusal({{nameOf(2, "xml"), definitionOf(2)}, {nameOf(2, "jwe"), sealed}}),
                    HasSubstr("was sealed for secret"));
        EXPECT_THAT(refusal({{nameOf(1, "xml"), definitionOf(1)}, {nameOf(1, "jwe"), "x.y"}}),
                    HasSubstr("is damaged"));
    }
    EXPECT_THAT(refusal({{nameOf(1, "xml"), definitionOf(1)}, {nameOf(1, "base64"), "!"}}),
                HasSubstr("base64"));
    EXPECT_THAT(refusal({{nameOf(1, "xml"), definitionOf(1)}, {nameOf(1, "base64"), " "}}),
                HasSubstr("is blank"));
}

TEST_F(BackupArchive, AMemberIsNoLargerThanAFileOfAStore) {
    const std::string large(kMaxDefinitionFileSize + 1, ' ');
    EXPECT_THAT(refusal({{nameOf(1, "xml"), large}}), HasSubstr("of more than"));
}

TEST_F(BackupArchive, TheManifestIsLastAndRight) {
    const std::string name = nameOf(1, "xml");
    EXPECT_THAT(refusal({}, {{name, definitionOf(1)}}), HasSubstr("members after"));
    manifest.members.push_back({"secrets/gone", 1, "0"});
    EXPECT_THAT(refusal({}), HasSubstr("lacks the member 'secrets/gone'"));
    manifest.members.push_back({name, definitionOf(1).size(), std::string(64, '0')});
    manifest.counts = {.secrets = 1, .withoutValue = 1};
    EXPECT_THAT(read(make({{name, definitionOf(1)}})), HasSubstr("not as its MANIFEST.json says"));
    manifest.counts = {.secrets = 2, .withoutValue = 1, .plain = 1};
    EXPECT_THAT(read(make({{name, definitionOf(1)}})), HasSubstr("counts"));
}

TEST(Manifest, IsRefusedUnlessItIsOfThisSchema) {
    const auto refusal = [](const std::string &text) -> std::string {
        try {
            static_cast<void>(parseManifest(text));
        } catch (const Error &error) {
            return error.fullText();
        }
        return "none";
    };
    const std::string good = formatManifest({});
    EXPECT_EQ(refusal(good), "none");
    const auto with = [&](const std::string &from, const std::string &to) {
        std::string text = good;
        return text.replace(text.find(from), from.size(), to);
    };
    EXPECT_THAT(refusal(with("\"schema\": 1", "\"schema\": 2")), HasSubstr("schema 2"));
    EXPECT_THAT(refusal(with("keyhold-backup", "another")), HasSubstr("no backup"));
    EXPECT_THAT(refusal(with("\"secrets\": 0", "\"secrets\": \"0\"")), HasSubstr("damaged"));
    EXPECT_THAT(refusal(std::string(1 << 20, '[')), HasSubstr("damaged"));
    EXPECT_THAT(refusal(""), HasSubstr("damaged"));
}

} // namespace
} // namespace keyhold::command
