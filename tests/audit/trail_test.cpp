// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/trail.h"

#include "audit/key_file.h"
#include "audit/trail_fixture.h"

#include <algorithm>
#include <thread>

namespace keyhold::audit {
namespace {

TEST_F(TrailTest, ARecordIsInTheFileBeforeItsCallGoesOn) {
    Trail trail(files, options(), log);
    EXPECT_EQ(1U, trail.admit(read("one")).sequence());
    ASSERT_EQ(1U, lines().size());
    EXPECT_TRUE(lines()[0].holds("one"));
    EXPECT_TRUE(disk.allSynced("/log"));
    EXPECT_EQ(2U, trail.admit(read("two")).sequence());
    EXPECT_EQ(2U, lines().size());
}

TEST_F(TrailTest, WhatIsNotedIsWrittenAtTheLatestAtTheEnd) {
    {
        Trail trail(files, options(), log);
        for (int i = 0; i < 1000; ++i)
            trail.note(read(std::to_string(i)));
    }
    const auto all = lines();
    ASSERT_EQ(1000U, all.size());
    EXPECT_TRUE(all.back().holds("\"999\""));
}

TEST_F(TrailTest, SeveralThatWaitShareASync) {
    constexpr int kThreads = 16;
    constexpr int kEach = 50;
    Trail trail(files, options(), log);
    // A sync that takes a while, so that others come at the same time.
    files.before(Operation::sync, "audit.jsonl",
                 [] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); });
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i)
            threads.emplace_back([&] {
                for (int each = 0; each < kEach; ++each)
                    EXPECT_NE(0U, trail.admit(read("x")).sequence());
            });
    }
    EXPECT_EQ(std::size_t{kThreads} * kEach, lines().size());
    EXPECT_LE(files.count(Operation::sync, "audit.jsonl"), std::size_t{kThreads} * kEach / 4);
}

TEST_F(TrailTest, WithoutSyncNothingIsSynced) {
    Options unsynced = options();
    unsynced.isSynced = false;
    Trail trail(files, std::move(unsynced), log);
    trail.admit(read("one"));
    EXPECT_EQ(0U, files.count(Operation::sync, "audit.jsonl"));
}

TEST_F(TrailTest, GoesOnAfterARestart) {
    { Trail(files, options(), log).admit(read("one")); }
    Trail trail(files, options(), log);
    EXPECT_EQ(2U, trail.admit(read("two")).sequence());
    EXPECT_EQ(2U, lines().size());
}

TEST_F(TrailTest, AFileThatIsRenamedIsFollowedByOneThatNamesItsEnd) {
    Trail trail(files, options(), log);
    trail.admit(read("one"));
    const int directory = disk.openDirectory("/log");
    ASSERT_EQ(0, disk.rename(directory, "audit.jsonl", "audit.jsonl.1"));
    EXPECT_EQ(3U, trail.admit(read("two")).sequence());
    const auto first = lines("/log/audit.jsonl.1");
    const auto second = lines();
    ASSERT_EQ(1U, first.size());
    ASSERT_EQ(2U, second.size());
    EXPECT_TRUE(second[0].holds("audit-file-begun"));
    EXPECT_EQ(2U, second[0].sequence);
    const std::string old = *disk.content("/log/audit.jsonl.1");
    EXPECT_TRUE(second[0].holds(hexOf(parseLine(old.substr(0, old.size() - 1))->chain)));
}

TEST_F(TrailTest, AFileThatIsCutIsReported) {
    Trail trail(files, options(), log);
    for (int i = 0; i < 4; ++i)
        trail.admit(read("one"));
    const std::string whole = *disk.content(kFile);
    const int file = disk.open(disk.openDirectory("/log"), "audit.jsonl", 1 /* O_WRONLY */, 0);
    ASSERT_EQ(0, disk.truncate(file, static_cast<off_t>(whole.size() / 2)));
    EXPECT_EQ(6U, trail.admit(read("two")).sequence());
    const auto all = lines();
    ASSERT_EQ(4U, all.size());
    EXPECT_TRUE(all[2].holds("audit-records-missing"));
    EXPECT_TRUE(all[2].holds("\"count\":2"));
    EXPECT_EQ(std::vector<std::string>{"error: the audit trail '/log/audit.jsonl' lacks 2 records "
                                       "that had been written"},
              log.lines());
}

TEST_F(TrailTest, AFileThatIsEmptiedIsReportedAsALossAndNotAsARotation) {
    Trail trail(files, options(), log);
    trail.admit(read("one"));
    trail.admit(read("two"));
    const int file = disk.open(disk.openDirectory("/log"), "audit.jsonl", 1 /* O_WRONLY */, 0);
    ASSERT_EQ(0, disk.truncate(file, 0)); // as copytruncate does
    EXPECT_EQ(4U, trail.admit(read("three")).sequence());
    const auto all = lines();
    ASSERT_EQ(2U, all.size());
    EXPECT_TRUE(all[0].holds("audit-records-missing"));
    EXPECT_TRUE(all[0].holds("\"count\":2"));
    EXPECT_TRUE(log.mentions("lacks 2 records that had been written"));
}

TEST_F(TrailTest, WhatAnEmptiedFileLacksIsWhatItHadAlsoBehindARotationAndAReload) {
    Trail trail(files, options(), log);
    trail.admit(read("one"));
    const int directory = disk.openDirectory("/log");
    ASSERT_EQ(0, disk.rename(directory, "audit.jsonl", "audit.jsonl.1"));
    EXPECT_EQ(3U, trail.admit(read("two")).sequence());
    ASSERT_EQ(0, disk.truncate(disk.open(directory, "audit.jsonl", 1 /* O_WRONLY */, 0), 0));
    trail.reopen();
    files.fail(Operation::write, "audit.jsonl", EIO); // it is told all the same
    EXPECT_THROW(trail.admit(read("refused")), UnavailableError);
    EXPECT_EQ(5U, trail.admit(read("three")).sequence());
    const auto all = lines();
    ASSERT_EQ(2U, all.size());
    EXPECT_TRUE(all[0].holds("audit-records-missing"));
    EXPECT_TRUE(all[0].holds("\"count\":2")) << "and not the one of the rotated file";
}

TEST_F(TrailTest, RecordsAreSealedOnceThereIsAKey) {
    putKey(1);
    {
        Trail trail(files, options(), log);
        trail.admit(read("one"));
        EXPECT_TRUE(trail.health().isSealed);
        trail.admit(read("two"));
    }
    SealingKey key(1, sha256(bytesOf("K")));
    std::string text = *disk.content(kFile);
    for (std::uint64_t sequence = 1; sequence <= 2; ++sequence) {
        const std::size_t end = text.find('\n');
        const auto line = parseLine(std::string_view(text).substr(0, end));
        key.advanceTo(sequence);
        ASSERT_TRUE(line && line->seal);
        EXPECT_EQ(key.seal(line->chain), *line->seal);
        text.erase(0, end + 1);
    }
    StoreDirectory directory(disk, "/lib");
    EXPECT_EQ(3U, readSealingKey(directory, "audit-key")->key.sequence());
}

TEST_F(TrailTest, AKeyThatIsMadeLaterIsTakenWhenTheFileIsReopened) {
    Trail trail(files, options(), log);
    trail.admit(read("one"));
    putKey(2);
    trail.admit(read("two"));
    trail.reopen();
    trail.admit(read("three"));
    const auto all = lines();
    ASSERT_EQ(3U, all.size());
    EXPECT_FALSE(all[1].isSealed);
    EXPECT_TRUE(all[2].isSealed);
}

TEST_F(TrailTest, ATailThatWasCutWhileNobodyWroteIsReportedByTheKey) {
    putKey(1);
    {
        Trail trail(files, options(), log);
        for (int i = 0; i < 4; ++i)
            trail.admit(read("one"));
    }
    const std::string whole = *disk.content(kFile);
    disk.putFile(kFile, whole.substr(0, whole.size() / 4));
    Trail trail(files, options(), log);
    EXPECT_EQ(6U, trail.admit(read("two")).sequence());
    EXPECT_TRUE(lines()[1].holds("audit-records-missing"));
    EXPECT_TRUE(lines()[1].holds("\"count\":3"));
}

TEST_F(TrailTest, ARotationWhileNobodyWroteIsFollowedByTheKey) {
    putKey(1);
    { Trail(files, options(), log).admit(read("one")); }
    const int directory = disk.openDirectory("/log");
    ASSERT_EQ(0, disk.rename(directory, "audit.jsonl", "audit.jsonl.1"));
    Trail trail(files, options(), log);
    EXPECT_EQ(3U, trail.admit(read("two")).sequence());
    EXPECT_TRUE(lines()[0].holds("audit-file-begun"));
    EXPECT_TRUE(log.lines().empty());
}

TEST_F(TrailTest, ARotationAfterACrashIsFollowedByTheFileAndNotByAnOlderKey) {
    putKey(1);
    {
        Trail trail(files, options(), log);
        trail.admit(read("one"));
        trail.admit(read("two")); // the key was kept before this one
        putKey(2);
    }
    putKey(2); // as a kill would have left it
    const int directory = disk.openDirectory("/log");
    ASSERT_EQ(0, disk.rename(directory, "audit.jsonl", "audit.jsonl.1"));
    Trail trail(files, options(), log);
    EXPECT_EQ(4U, trail.admit(read("three")).sequence());
    EXPECT_TRUE(log.lines().empty());
}

TEST_F(TrailTest, TextsThatAClientChoosesAreCut) {
    const std::string longest(300'000, 'x');
    {
        Trail trail(files, options(), log);
        Record record = read(longest);
        record.usage = Usage{UsageType::ceph, longest};
        record.caller->saslName = longest + "\xc3\xa4";
        trail.admit(std::move(record));
        trail.note(read(longest));
    }
    EXPECT_LT(disk.content(kFile)->size(), 10 * kMaxText);
    Trail trail(files, options(), log);
    EXPECT_EQ(3U, trail.admit(read("after")).sequence());
}

TEST_F(TrailTest, ARotationWhileNobodyWroteIsFollowedByTheLastOfTheRotatedFiles) {
    { Trail(files, options(), log).admit(read("one")); }
    const int directory = disk.openDirectory("/log");
    ASSERT_EQ(0, disk.rename(directory, "audit.jsonl", "audit.jsonl.2"));
    { Trail(files, options(), log).admit(read("two")); }
    ASSERT_EQ(0, disk.rename(directory, "audit.jsonl", "audit.jsonl-20261129"));
    disk.putFile("/log/audit.jsonl.3.gz", "compressed");
    Trail trail(files, options(), log);
    EXPECT_EQ(5U, trail.admit(read("three")).sequence());
    const std::string last = *disk.content("/log/audit.jsonl-20261129");
    const std::size_t start = last.rfind('\n', last.size() - 2) + 1;
    const auto line = parseLine(std::string_view(last).substr(start, last.size() - 1 - start));
    ASSERT_TRUE(line);
    EXPECT_TRUE(lines()[0].holds(hexOf(line->chain)));
    EXPECT_TRUE(log.lines().empty());
}

} // namespace
} // namespace keyhold::audit
