// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/backup.h"
#include "command/backup_archive.h"
#include "command/json_of.h"
#include "command/store_on_disk.h"
#include "conf/error.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace keyhold::command {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class BackupTest : public testing::Test {
  protected:
    BackupTest() {
        options.target = store.choice();
        options.json = true;
        options.file = folder.path() + "/archive.tar";
        options.isStopped = [] { return false; };
    }
    Exit run() {
        return runForJson([&] { return backup(options); }, said);
    }
    std::string refusal() {
        try {
            run();
        } catch (const Error &error) {
            return error.fullText();
        }
        return "none";
    }
    [[nodiscard]] std::size_t filesBeside() const {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(folder.path()), {}));
    }

    StoreOnDisk store;
    TemporaryDirectory folder;
    BackupOptions options;
    Json said;
};

TEST_F(BackupTest, SaysWhatIsInItAndWhichKeysOpenIt) {
    store.addSealed(1, "value", 7);
    store.addSealed(2, "value", 8);
    store.define(3);
    store.configure(store.keyLine(7));
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(said["secrets"], 3);
    EXPECT_EQ(said["withoutValue"], 1);
    EXPECT_EQ(said["sealed"], Json({{keyIdOf(7), 1}, {keyIdOf(8), 1}}));
    EXPECT_EQ(said["unopened"], 1);
    EXPECT_EQ(said["leftOut"], Json::array());
    EXPECT_EQ(filesBeside(), 1u);
    struct stat status {};
    ASSERT_EQ(::stat(options.file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(BackupTest, PlainValuesAreRefusedBeforeAnythingIsWritten) {
    store.addSealed(1, "value", 7);
    store.addPlain(2, "value");
    store.addPlain(3, "value");
    EXPECT_THAT(refusal(), AllOf(HasSubstr("2 values"), HasSubstr(StoreOnDisk::uuid(2).toString()),
                                 HasSubstr("--plain"), HasSubstr("keyhold seal")));
    EXPECT_EQ(filesBeside(), 0u);
    options.withPlain = true;
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(said["plain"], 2);
}

TEST_F(BackupTest, ABlankFileIsNoPlainValue) {
    store.addSealed(1, "value", 7);
    store.put(StoreOnDisk::nameOf(1, "base64"), "\n");
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(said["sealed"], Json({{keyIdOf(7), 1}}));
}

TEST_F(BackupTest, WhatIsLeftOutIsNamedAndTheRestIsInIt) {
    store.configure(store.keyLine(7));
    store.addSealed(1, "value", 7);
    store.addSealed(2, "value", 7);
    store.put(StoreOnDisk::nameOf(2, "jwe"), "damaged");
    store.put(StoreOnDisk::nameOf(3, "xml"), "<secret>");
    store.put(StoreOnDisk::nameOf(4, "base64"), "dmFs");
    store.put(StoreOnDisk::nameOf(1, "jwe.aside-1"), "old");
    store.put(StoreOnDisk::nameOf(1, "base64.copy"), "dmFs");
    store.put("Secret.xml", "<secret/>");
    ASSERT_EQ(::mkfifo((store.secrets() + "/" + StoreOnDisk::nameOf(5, "xml")).c_str(), 0600), 0);
    EXPECT_EQ(run(), Exit::findings);
    EXPECT_EQ(said["secrets"], 2);
    EXPECT_EQ(said["withoutValue"], 1);
    std::map<std::string, std::string> left;
    for (const Json &each : said["leftOut"])
        left[std::filesystem::path(each["file"].get<std::string>()).filename()] = each["kind"];
    const std::map<std::string, std::string> expected = {
        {StoreOnDisk::nameOf(2, "jwe"), "damaged"},
        {StoreOnDisk::nameOf(3, "xml"), "definition"},
        {StoreOnDisk::nameOf(4, "base64"), "orphan"},
        {StoreOnDisk::nameOf(1, "jwe.aside-1"), "aside"},
        {StoreOnDisk::nameOf(1, "base64.copy"), "unknown"},
        {"Secret.xml", "definition"},
        {StoreOnDisk::nameOf(5, "xml"), "definition"},
    };
    EXPECT_EQ(left, expected);
    const Manifest manifest = readBackup(options.file, *policyOf(7), [](const auto &) {});
    EXPECT_EQ(manifest.leftOut.size(), left.size());
}

TEST_F(BackupTest, AChangeOfFormatsThatEndsUntilThenLeavesNothingOut) {
    store.addSealed(1, "value", 7);
    store.addPlain(1, "value");
    store.addSealed(2, "value", 7);
    store.addPlain(2, "value");
    store.define(3);
    options.withPlain = true;
    int asked = 0;
    options.isStopped = [&] {
        if (++asked == 3)
            std::filesystem::remove(store.secrets() + "/" + StoreOnDisk::nameOf(1, "jwe"));
        return false;
    };
    EXPECT_EQ(run(), Exit::findings);
    ASSERT_EQ(said["leftOut"].size(), 1u);
    EXPECT_THAT(said["leftOut"][0]["file"].get<std::string>(),
                HasSubstr(StoreOnDisk::nameOf(2, "jwe")));
}

TEST_F(BackupTest, TwoSecretsOfOneUseAreInItAndTold) {
    store.define(1);
    std::string other = store.files()[StoreOnDisk::nameOf(1, "xml")];
    const std::string uuid = StoreOnDisk::uuid(1).toString();
    other.replace(other.find(uuid), uuid.size(), StoreOnDisk::uuid(2).toString());
    store.put(StoreOnDisk::nameOf(2, "xml"), other);
    EXPECT_EQ(run(), Exit::findings);
    EXPECT_EQ(said["secrets"], 2);
    EXPECT_THAT(said["findings"][0]["file"].get<std::string>(),
                HasSubstr(StoreOnDisk::nameOf(2, "xml")));
}

TEST_F(BackupTest, AFileThatIsThereStaysUnlessItIsToGo) {
    std::ofstream(options.file) << "old";
    EXPECT_THAT(refusal(), HasSubstr("--force"));
    options.replacesFile = true;
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_GT(std::filesystem::file_size(options.file), 1000u);
    EXPECT_EQ(filesBeside(), 1u);
    options.file = folder.path();
    EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
}

TEST_F(BackupTest, OneThatIsGivenUpLeavesNothing) {
    store.define(1);
    store.define(2);
    int asked = 0;
    options.isStopped = [&] { return ++asked == 2; };
    EXPECT_THAT(refusal(), HasSubstr("interrupted"));
    EXPECT_EQ(filesBeside(), 0u);
}

TEST_F(BackupTest, WhatAKilledOneLeftGoes) {
    std::ofstream(options.file + ".partial") << "half";
    std::filesystem::permissions(options.file + ".partial", std::filesystem::perms::all);
    EXPECT_EQ(run(), Exit::clean);
    EXPECT_EQ(filesBeside(), 1u);
    EXPECT_EQ(std::filesystem::status(options.file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

} // namespace
} // namespace keyhold::command
