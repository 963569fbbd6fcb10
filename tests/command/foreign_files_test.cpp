// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/foreign_files.h"
#include "command/store_on_disk.h"
#include "command/tar_archive.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

namespace keyhold::command {
namespace {

using Kind = Finding::Kind;

class ForeignFiles : public testing::Test {
  protected:
    /// Of the only finding; empty if there is none.
    std::optional<Kind> kind(const KeyPlan &plan = {}) const {
        const auto found = foreignFiles(StoreDirectory(posixFileSystem(), store.secrets()), plan);
        EXPECT_LE(found.size(), 1u);
        return found.empty() ? std::nullopt : std::optional(found.front().kind);
    }
    std::optional<Kind> kindOf(const std::string &content) const {
        store.put("file", content);
        const auto found = kind();
        std::filesystem::remove(store.secrets() + "/file");
        EXPECT_EQ(kind(), std::nullopt);
        return found;
    }

    StoreOnDisk store;
};

std::string archiveOf(const std::string &name, std::size_t before = 0) {
    std::string bytes;
    TarWriter tar(
        [&](std::span<const std::uint8_t> more) {
            bytes.append(reinterpret_cast<const char *>(more.data()), more.size());
        },
        0);
    const std::vector<std::uint8_t> content(before + 1);
    tar.add("secrets/first.xml", content);
    tar.add("secrets/" + name, std::span(content).first(1));
    tar.close();
    return bytes;
}

TEST_F(ForeignFiles, ArchivesAreLookedThrough) {
    EXPECT_EQ(kindOf(archiveOf(StoreFiles::nameOf(1, "base64"))), Kind::plainCopy);
    EXPECT_EQ(kindOf(archiveOf(StoreFiles::nameOf(1, "jwe"))), std::nullopt);
    constexpr std::size_t kTooMuch = std::size_t{9} * 1024 * 1024;
    EXPECT_EQ(kindOf(archiveOf(StoreFiles::nameOf(1, "jwe"), kTooMuch)), Kind::plainCopy);
    EXPECT_EQ(kindOf(std::string(kTooMuch, '\0')), std::nullopt);
}

TEST_F(ForeignFiles, KeysAreTold) {
    EXPECT_EQ(kindOf(std::string(Key::kSize, 'k')), Kind::keyFile);
    EXPECT_EQ(kindOf(R"({"kty": "oct", "k": "AAAA"})"), Kind::keyFile);
    store.put("file", std::string(Key::kSize, 'k'));
    KeyPlan plan;
    plan.earlierKeyPaths = {store.secrets() + "/file"};
    EXPECT_EQ(kind(plan), std::nullopt);
}

TEST_F(ForeignFiles, ValuesAreTold) {
    EXPECT_EQ(kindOf("dmFsdWU=\n"), Kind::plainCopy);
    EXPECT_EQ(kindOf(" \n"), std::nullopt);
    EXPECT_EQ(kindOf("These are secrets of libvirt.\n"), std::nullopt);
}

TEST_F(ForeignFiles, FilesOfSecretsAndWhatIsNoFileAreNotLookedAt) {
    store.addPlain(1, "value");
    store.put("copy.base64", "dmFsdWU=");
    std::filesystem::create_directory(store.secrets() + "/directory");
    EXPECT_EQ(kind(), std::nullopt);
}

} // namespace
} // namespace keyhold::command
