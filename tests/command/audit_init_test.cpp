// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/key_file.h"
#include "command/audit.h"
#include "command/json_of.h"
#include "command/store_on_disk.h"
#include "command/trail_on_disk.h"
#include "conf/error.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace keyhold::command {
namespace {

using testing::HasSubstr;

/// An embedded root, whose trail another file has.
class AuditInit : public testing::Test {
  protected:
    /// What it prints.
    std::string init(bool isReplacing = false, bool json = false) {
        AuditInitOptions options;
        options.trail = {store.choice(), trail.path()};
        options.isReplacing = isReplacing;
        options.json = json;
        testing::internal::CaptureStderr();
        testing::internal::CaptureStdout();
        try {
            EXPECT_EQ(auditInit(options), Exit::clean);
        } catch (const Error &error) {
            testing::internal::GetCapturedStderr();
            EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
            return "refused: " + error.fullText();
        }
        told = testing::internal::GetCapturedStderr();
        return testing::internal::GetCapturedStdout();
    }

    [[nodiscard]] audit::KeptKey kept() const {
        return *audit::readSealingKey(StoreDirectory(posixFileSystem(), store.root() + "/lib"),
                                      "audit-key");
    }

    StoreOnDisk store;
    TrailOnDisk trail;
    std::string told;
};

TEST_F(AuditInit, TheKeyIsThatOfTheNextRecord) {
    trail.addReads(4);
    trail.write("audit.jsonl.1", 1, 3);
    trail.write("audit.jsonl", 4);
    const std::string printed = init();
    EXPECT_THAT(printed, testing::MatchesRegex("6:[0-9a-f]{64}\n"));
    EXPECT_THAT(told, HasSubstr("keep it on another host"));
    const audit::KeptKey key = kept();
    EXPECT_EQ(key.key.sequence(), 6u);
    EXPECT_EQ(key.chain, trail.head().chain);
    audit::Digest bytes;
    std::ranges::copy(key.key.bytes(), bytes.begin());
    EXPECT_EQ(printed, "6:" + audit::hexOf(bytes) + "\n");
}

TEST_F(AuditInit, OfNoTrailItIsThatOfTheFirstRecord) {
    EXPECT_THAT(init(), testing::StartsWith("1:"));
    EXPECT_EQ(kept().chain, audit::Digest{});
}

TEST_F(AuditInit, ALineWithoutAnEndIsNoRecord) {
    trail.addReads(4);
    trail.lines.back().pop_back();
    trail.write();
    EXPECT_THAT(init(), testing::StartsWith("5:"));
}

TEST_F(AuditInit, NobodyElseReadsTheKey) {
    static_cast<void>(init());
    struct stat status {};
    ASSERT_EQ(::stat((store.root() + "/lib/audit-key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600u);
    ASSERT_EQ(::stat((store.root() + "/lib").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700u);
}

TEST_F(AuditInit, AKeyThatIsThereStays) {
    const std::string first = init();
    EXPECT_THAT(init(), HasSubstr("refused: there is a key in '" + store.root() +
                                  "/lib/audit-key' already; with --replace"));
    const std::string second = init(true);
    EXPECT_THAT(second, testing::StartsWith("1:"));
    EXPECT_NE(second, first);
}

TEST_F(AuditInit, TheKeyOfAnOpenStoreIsNotReplaced) {
    static_cast<void>(init());
    const LockingProcess holder(store.target().paths.stateDirectory);
    EXPECT_THAT(init(true), HasSubstr("process " + std::to_string(holder.pid())));
}

TEST_F(AuditInit, Json) {
    const Json said = Json::parse(init(false, true));
    EXPECT_EQ(said["file"], store.root() + "/lib/audit-key");
    EXPECT_EQ(said["sequence"], 1);
    EXPECT_THAT(said["key"].get<std::string>(), testing::MatchesRegex("1:[0-9a-f]{64}"));
}

TEST_F(AuditInit, TheKeyProvesWhatIsSealedWithIt) {
    trail.addReads(4);
    trail.write();
    const std::string printed = init();
    audit::KeptKey driver = kept();
    audit::Head head = trail.head();
    for (int i = 0; i < 3; ++i)
        trail.lines.push_back(TrailOnDisk::lineOf(TrailOnDisk::read(), head, &driver.key));
    trail.write();
    AuditVerifyOptions options;
    options.trail.file = trail.path();
    options.json = true;
    options.keys = {printed.substr(0, printed.size() - 1)};
    Json said;
    EXPECT_EQ(runForJson([&] { return auditVerify(options); }, said), Exit::clean);
    EXPECT_EQ(said["verdict"], "sealed");
    EXPECT_EQ(said["provenFrom"], 6);
}

} // namespace
} // namespace keyhold::command
