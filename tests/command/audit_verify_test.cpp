// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit.h"
#include "command/audit_points.h"
#include "command/json_of.h"
#include "command/trail_on_disk.h"
#include "conf/error.h"

#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint8_t kSeed = 7;

/// The table of attacks, on real files: which one is seen, with what.
class AuditVerify : public testing::Test {
  protected:
    enum Given { nothing, key, keyAndHead };

    Json verify(Given given = nothing, std::string head = {}) {
        AuditVerifyOptions options;
        options.trail.file = trail.path();
        options.json = true;
        if (given != nothing)
            options.keys = {TrailOnDisk::keyText(1, kSeed)};
        if (given == keyAndHead)
            head = textOf(trail.head());
        options.head = head;
        Json said;
        exit = runForJson([&] { return auditVerify(options); }, said);
        return said;
    }

    /// "KIND RECORD", or "KIND" for what is of no record.
    std::vector<std::string> breaks(Given given = nothing, const std::string &head = {}) {
        std::vector<std::string> found;
        const Json said = verify(given, head);
        for (const Json &each : said["breaks"]) {
            found.push_back(each["kind"].get<std::string>());
            if (!each["record"].is_null())
                found.back() += " " + each["record"].dump();
        }
        EXPECT_EQ(exit, found.empty() ? Exit::clean : Exit::findings);
        return found;
    }

    void replace(std::size_t record, const std::string &from, const std::string &to) {
        std::string &line = trail.lines.at(record - 1);
        line.replace(line.find(from), from.size(), to);
    }

    /// As root would who has no key: all from record `first` on again, by another user, with
    /// seals that look like some.
    void rewriteFrom(std::size_t first) {
        audit::Head head{first - 1, audit::parseLine(without(trail.lines[first - 2]))->chain};
        audit::Record record = TrailOnDisk::read();
        record.caller->userName = "somebody";
        audit::SealingKey invented(1, std::span<const std::uint8_t, 32>(audit::Digest{}));
        for (std::size_t i = first; i <= trail.lines.size(); ++i)
            trail.lines[i - 1] = TrailOnDisk::lineOf(record, head, &invented);
    }

    static std::string_view without(const std::string &line) {
        return std::string_view(line).substr(0, line.size() - 1);
    }

    TrailOnDisk trail{kSeed};
    Exit exit = Exit::clean;
};

TEST_F(AuditVerify, WhatIsAsItWasWritten) {
    trail.addReads(999);
    trail.write();
    const std::string head = textOf(trail.head());
    Json said = verify();
    EXPECT_EQ(exit, Exit::clean);
    EXPECT_EQ(said["verdict"], "unbroken");
    EXPECT_EQ(said["records"], 1000);
    EXPECT_EQ(said["head"], head);
    EXPECT_EQ(said["sealedFrom"], 1);
    EXPECT_TRUE(said["provenFrom"].is_null());
    EXPECT_EQ(verify(nothing, head)["verdict"], "unbroken");
    EXPECT_EQ(verify(key)["verdict"], "sealed");
    EXPECT_EQ(verify(keyAndHead)["verdict"], "intact");
    EXPECT_EQ(exit, Exit::clean);
}

TEST_F(AuditVerify, WhatIsNotProvenIsSaid) {
    trail.write();
    AuditVerifyOptions options;
    options.trail.file = trail.path();
    const auto text = [&] {
        testing::internal::CaptureStdout();
        EXPECT_EQ(auditVerify(options), Exit::clean);
        return testing::internal::GetCapturedStdout();
    };
    EXPECT_THAT(text(), HasSubstr("a key, given with --key-file, proves that nobody did\n"));
    EXPECT_THAT(text(), HasSubstr("audit.jsonl: unbroken, not proven; 1 record\n"));
    options.keys = {TrailOnDisk::keyText(1, kSeed)};
    EXPECT_THAT(text(), HasSubstr("whether records after 1 were cut off; a head"));
    EXPECT_THAT(text(), HasSubstr("unbroken and sealed, its end not proven"));
    options.head = textOf(trail.head());
    EXPECT_THAT(text(), testing::Not(HasSubstr("cut off")));
    EXPECT_THAT(text(), HasSubstr("audit.jsonl: intact; 1 record\n"));
    const TrailOnDisk unsealed;
    unsealed.write();
    options = {};
    options.trail.file = unsealed.path();
    EXPECT_THAT(text(), HasSubstr("no record is sealed\n"));
    EXPECT_THAT(text(), HasSubstr("keyhold audit init makes a key"));
}

TEST_F(AuditVerify, AnEditedRecord) {
    trail.addReads(9);
    replace(5, "nova", "bert");
    trail.write();
    EXPECT_THAT(breaks(), ElementsAre("chain 5"));
}

TEST_F(AuditVerify, ADeletedRecord) {
    trail.addReads(9);
    trail.lines.erase(trail.lines.begin() + 4);
    trail.write();
    EXPECT_THAT(breaks(), ElementsAre("sequence 6"));
}

TEST_F(AuditVerify, ADeletedRecordWhoseNumberAnotherHas) {
    trail.addReads(5);
    trail.lines.erase(trail.lines.end() - 2);
    replace(5, R"("sequence":6)", R"("sequence":5)");
    trail.write();
    EXPECT_THAT(breaks(), ElementsAre("chain 5"));
}

TEST_F(AuditVerify, SwappedRecords) {
    trail.addReads(9);
    std::swap(trail.lines[4], trail.lines[5]);
    trail.write();
    EXPECT_THAT(breaks(), ElementsAre("sequence 6", "sequence 5", "sequence 7"));
}

TEST_F(AuditVerify, AnInsertedRecord) {
    trail.addReads(9);
    audit::Head head{4, audit::parseLine(without(trail.lines[3]))->chain};
    trail.lines.insert(trail.lines.begin() + 4,
                       TrailOnDisk::lineOf(TrailOnDisk::read(), head, nullptr));
    trail.write();
    EXPECT_THAT(breaks(), ElementsAre("seal 5", "sequence 5"));
}

TEST_F(AuditVerify, RecordsRewrittenFromOneOnAreSeenWithTheKeyAlone) {
    trail.addReads(999);
    rewriteFrom(500);
    trail.write();
    EXPECT_THAT(breaks(), IsEmpty());
    EXPECT_EQ(verify()["verdict"], "unbroken");
    EXPECT_EQ(verify(key)["breakCount"], 501);
    EXPECT_EQ(verify(key)["breaks"][0]["record"], 500);
    EXPECT_EQ(verify(key)["breaks"].size(), 20);
}

TEST_F(AuditVerify, RecordsRewrittenAreSeenWithAHeadAlone) {
    trail.addReads(9);
    const std::string head = textOf(trail.head());
    rewriteFrom(5);
    trail.write();
    EXPECT_THAT(breaks(nothing, head), ElementsAre("chain 10"));
}

TEST_F(AuditVerify, SealsThatWereTakenOffAreMissedWithoutTheKey) {
    trail.addReads(9);
    std::string &line = trail.lines[6];
    line.replace(line.find(",\"seal\""), std::string::npos, "}\n");
    trail.write();
    EXPECT_THAT(breaks(), ElementsAre("seal 7"));
    EXPECT_THAT(breaks(key), ElementsAre("seal 7"));
}

TEST_F(AuditVerify, AnEndThatWasCutOffIsSeenWithTheHeadAlone) {
    trail.addReads(9);
    trail.write("audit.jsonl", 1, 6);
    EXPECT_THAT(breaks(), IsEmpty());
    EXPECT_THAT(breaks(key), IsEmpty());
    EXPECT_EQ(verify(key)["verdict"], "sealed");
    EXPECT_THAT(breaks(keyAndHead), ElementsAre("cut"));
    EXPECT_THAT(breaks(nothing, textOf(trail.head())), ElementsAre("cut"));
}

TEST_F(AuditVerify, AnEndThatWasCutOffARotatedFileIsSeenInTheNext) {
    trail.addReads(9);
    trail.beginFile();
    trail.addReads(2);
    trail.write("audit.jsonl.1", 1, 8);
    trail.write("audit.jsonl", 11);
    EXPECT_THAT(breaks(), ElementsAre("sequence 11"));
    EXPECT_THAT(verify()["breaks"][0]["text"].get<std::string>(),
                HasSubstr("records 9 to 10 are not here, as the driver had it"));
}

TEST_F(AuditVerify, AnEndOfARotatedFileThatWasWrittenAnewIsSeenInTheNext) {
    trail.addReads(9);
    rewriteFrom(8);
    trail.beginFile();
    trail.write("audit.jsonl.1", 1, 10);
    trail.write("audit.jsonl", 11);
    EXPECT_THAT(breaks(), ElementsAre("chain 11"));
}

TEST_F(AuditVerify, OldLinesUnderNewerKeys) {
    trail.addReads(9);
    const std::vector<std::string> old(trail.lines.begin() + 2, trail.lines.begin() + 5);
    trail.lines.insert(trail.lines.end(), old.begin(), old.end());
    trail.write();
    EXPECT_THAT(breaks(), ElementsAre("sequence 3"));

    // With the number that is due, and the old chain and seal.
    trail.lines.resize(10);
    trail.lines.push_back(old.front());
    replace(11, R"("sequence":3)", R"("sequence":11)");
    trail.write();
    EXPECT_THAT(breaks(key), ElementsAre("chain 11", "seal 11"));
}

TEST_F(AuditVerify, TwoTrailsInOneFile) {
    trail.addReads(9);
    TrailOnDisk other(9);
    other.addReads(4);
    trail.lines.insert(trail.lines.end(), other.lines.begin(), other.lines.end());
    trail.write();
    EXPECT_THAT(breaks(), ElementsAre("sequence 1"));
    EXPECT_THAT(verify()["breaks"][0]["text"].get<std::string>(),
                HasSubstr("another trail begins here"));
}

TEST_F(AuditVerify, ATornLastLine) {
    trail.addReads(9);
    trail.lines.back().resize(60);
    trail.write();
    EXPECT_THAT(breaks(), ElementsAre("torn"));
    EXPECT_THAT(verify()["breaks"][0]["text"].get<std::string>(), HasSubstr("a crash"));
}

TEST_F(AuditVerify, ALineThatIsNoRecord) {
    trail.addReads(2);
    trail.lines.insert(trail.lines.begin() + 1, "{\"event\":1}\n");
    trail.lines.emplace_back("\n");
    trail.lines.push_back(std::string(std::size_t{65} << 10, 'x') + "\n");
    trail.write();
    EXPECT_THAT(breaks(), ElementsAre("no-record", "no-record", "no-record"));
    EXPECT_EQ(verify()["breaks"][0]["line"], 2);
}

TEST_F(AuditVerify, RecordsThatTheDriverMissed) {
    trail.addReads(2);
    trail.jump(5);
    trail.addReads(1);
    trail.write();
    EXPECT_THAT(breaks(key), ElementsAre("sequence 9"));
}

TEST_F(AuditVerify, RecordsThatCouldNotBeWrittenAreNoBreak) {
    audit::Record missing;
    missing.action = audit::Action::missing;
    missing.count = 12;
    trail.add(missing);
    trail.write();
    const Json said = verify(keyAndHead);
    EXPECT_EQ(said["verdict"], "intact");
    EXPECT_EQ(said["lost"], 12);
    EXPECT_EQ(exit, Exit::findings);
}

TEST_F(AuditVerify, AHeadOfAnotherTrail) {
    trail.addReads(9);
    trail.write();
    EXPECT_THAT(breaks(nothing, "5:" + std::string(64, 'a')), ElementsAre("chain 5"));
}

TEST_F(AuditVerify, AKeyThatIsNotTheOne) {
    trail.addReads(2);
    trail.write();
    AuditVerifyOptions options;
    options.trail.file = trail.path();
    options.json = true;
    options.keys = {TrailOnDisk::keyText(1, 8)};
    Json said;
    EXPECT_EQ(runForJson([&] { return auditVerify(options); }, said), Exit::findings);
    EXPECT_EQ(said["breakCount"], 3);
    options.keys = {TrailOnDisk::keyText(40, kSeed)};
    EXPECT_EQ(runForJson([&] { return auditVerify(options); }, said), Exit::findings);
    EXPECT_EQ(said["breaks"][0]["kind"], "cut");
}

TEST_F(AuditVerify, AnInventedSequenceDoesNotKeepTheKeyBusy) {
    trail.addReads(2);
    replace(3, R"("sequence":3)", R"("sequence":9000000000000000000)");
    trail.write();
    EXPECT_THAT(breaks(key),
                ElementsAre("sequence 9000000000000000000", "seal 9000000000000000000"));
    EXPECT_THAT(verify(key)["breaks"][1]["text"].get<std::string>(), HasSubstr("too far"));
}

TEST_F(AuditVerify, EachKeyCountsUpToTheNext) {
    trail.addReads(9);
    trail.changeKey(9);
    trail.addReads(5);
    trail.write();
    EXPECT_EQ(verify(key)["breaks"][0]["record"], 11);
    AuditVerifyOptions options;
    options.trail.file = trail.path();
    options.keyFile = trail.path("keys");
    options.json = true;
    trail.writeText("keys",
                    TrailOnDisk::keyText(11, 9) + "\n" + TrailOnDisk::keyText(1, kSeed) + "\n");
    Json said;
    EXPECT_EQ(runForJson([&] { return auditVerify(options); }, said), Exit::clean);
    EXPECT_EQ(said["verdict"], "sealed");
    EXPECT_EQ(said["provenFrom"], 1);
    trail.writeText("keys", TrailOnDisk::keyText(11, 9));
    EXPECT_EQ(runForJson([&] { return auditVerify(options); }, said), Exit::clean);
    EXPECT_EQ(said["provenFrom"], 11);
}

TEST_F(AuditVerify, AKeyIsNotRepeatedInAnError) {
    AuditVerifyOptions options;
    options.trail.file = trail.path();
    options.keys = {"1:" + std::string(63, 'c')};
    try {
        static_cast<void>(auditVerify(options));
        FAIL();
    } catch (const Error &error) {
        EXPECT_THAT(error.message(), HasSubstr("--key is no key"));
        EXPECT_THAT(error.message(), testing::Not(HasSubstr("cccc")));
    }
}

TEST_F(AuditVerify, RotatedAndCompressedFilesAreOneTrail) {
    for (int i = 0; i < 5; ++i) {
        trail.addReads(9);
        trail.beginFile();
    }
    trail.write("audit.jsonl-20261126", 1, 10);
    trail.write("audit.jsonl.3", 11, 20);
    trail.write("audit.jsonl.2", 21, 30);
    trail.write("audit.jsonl.1", 31, 40);
    trail.write("audit.jsonl", 41);
    trail.writeText("audit.jsonl.swp", "not of the trail\n");
    for (const char *const pack : {"gzip '", "xz '", "zstd -q --rm '"}) {
        const std::string name = pack[0] == 'g'   ? "audit.jsonl-20261126"
                                 : pack[0] == 'x' ? "audit.jsonl.3"
                                                  : "audit.jsonl.2";
        ASSERT_EQ(std::system((pack + trail.path(name) + "'").c_str()), 0); // NOLINT
    }
    const Json said = verify(keyAndHead);
    EXPECT_EQ(said["verdict"], "intact");
    EXPECT_EQ(said["records"], 51);
    EXPECT_EQ(said["files"].size(), 5);
    EXPECT_EQ(said["files"][0]["file"], trail.path("audit.jsonl-20261126.gz"));
}

TEST_F(AuditVerify, OldestFilesThatAreGoneAreNoBreak) {
    trail.addReads(9);
    trail.beginFile();
    trail.addReads(2);
    trail.write("audit.jsonl", 11);
    EXPECT_THAT(breaks(keyAndHead), IsEmpty());
    EXPECT_EQ(verify()["first"], 11);
    trail.write("audit.jsonl", 12);
    EXPECT_THAT(breaks(), ElementsAre("beginning 12"));
}

TEST_F(AuditVerify, ACompressedFileThatIsCutOff) {
    trail.addReads(999);
    trail.write("audit.jsonl.1");
    const std::string path = trail.path("audit.jsonl.1");
    const std::string commands = "gzip '" + path + "' && truncate -s -100 '" + path + ".gz'";
    ASSERT_EQ(std::system(commands.c_str()), 0); // NOLINT(concurrency-mt-unsafe): there is one
    EXPECT_THAT(breaks(), testing::Contains("file"));
}

TEST_F(AuditVerify, NoTrailIsNoCleanTrail) {
    EXPECT_THROW(verify(), Error);
    trail.writeText("audit.jsonl", "");
    EXPECT_EQ(verify()["records"], 0);
}

} // namespace
} // namespace keyhold::command
