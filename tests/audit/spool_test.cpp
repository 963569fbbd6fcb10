// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/spool.h"

#include "audit/trail_fixture.h"
#include "conf/error.h"

#include <thread>

namespace keyhold::audit {
namespace {

class SpoolTest : public TrailTest {
  protected:
    static constexpr const char *kSpool = "/run/spool";

    SpoolTest() { disk.makePath("/run"); }

    [[nodiscard]] Options spooling() const {
        Options made = options();
        made.isSynced = false;
        made.spoolFile = kSpool;
        return made;
    }
    [[nodiscard]] std::string spooled() const { return disk.content(kSpool).value_or("none"); }
    /// What a process leaves that is killed before its thread has written this.
    void leave(const Record &record) {
        Spool spool(disk, kSpool);
        ASSERT_TRUE(spool.append(textOf(record, 0, options().source)));
    }
};

TEST_F(SpoolTest, KeepsLinesUntilTheyAreCleared) {
    {
        Spool spool(disk, kSpool);
        EXPECT_TRUE(spool.takeLeft().empty());
        EXPECT_TRUE(spool.append("one"));
        EXPECT_TRUE(spool.append("two"));
    }
    Spool spool(disk, kSpool);
    EXPECT_EQ((std::vector<std::string>{"one", "two"}), spool.takeLeft());
    spool.clear();
    EXPECT_TRUE(Spool(disk, kSpool).takeLeft().empty());
}

TEST_F(SpoolTest, AnUnfinishedLineIsNone) {
    disk.putFile(kSpool, "one\ntw");
    Spool spool(disk, kSpool);
    EXPECT_EQ(std::vector<std::string>{"one"}, spool.takeLeft());
    EXPECT_TRUE(spool.append("three"));
    EXPECT_EQ("one\nthree\n", spooled());
}

TEST_F(SpoolTest, SomethingElseOfItsNameIsRefused) {
    disk.makePath(kSpool);
    EXPECT_THROW(Spool(disk, kSpool), Error);
}

TEST_F(SpoolTest, TakesNoMoreThanItHasRoomFor) {
    Spool spool(disk, kSpool);
    EXPECT_TRUE(spool.append(std::string(Spool::kMaxSize - 1, 'x')));
    EXPECT_FALSE(spool.append(""));
    spool.clear();
    EXPECT_TRUE(spool.append("one"));
}

TEST_F(SpoolTest, PartOfALineDoesNotStay) {
    Spool spool(files, kSpool);
    ASSERT_TRUE(spool.append("one"));
    files.fail(Operation::write, "spool", ENOSPC);
    EXPECT_FALSE(spool.append("two"));
    EXPECT_EQ("one\n", spooled());
}

TEST_F(SpoolTest, ACallGoesOnWhenTheSpoolHasItsRecord) {
    Trail trail(files, spooling(), log);
    trail.admit(read("opens the spool"));
    std::atomic<bool> isWriting{false};
    std::atomic<bool> mayWrite{false};
    files.before(Operation::write, "audit.jsonl", [&] {
        isWriting = true;
        while (!mayWrite)
            std::this_thread::yield();
    });
    const Admission one = trail.admit(read("one"));
    EXPECT_NE(std::string::npos, spooled().find("one"));
    EXPECT_TRUE(eventually([&] { return isWriting.load(); }));
    EXPECT_EQ(0U, one.sequence());
    mayWrite = true;
    EXPECT_TRUE(eventually([&] { return lines().size() == 2 && spooled().empty(); }));
    EXPECT_EQ(2U, one.sequence());
}

TEST_F(SpoolTest, AChangeIsAnnouncedInTheTrail) {
    Trail trail(files, spooling(), log);
    trail.admit(read("opens the spool"));
    Record intent = read("one");
    intent.outcome = Outcome::unknown;
    EXPECT_EQ(2U, trail.admit(intent).sequence());
}

TEST_F(SpoolTest, WithASyncedTrailACallWaitsForIt) {
    Options synced = spooling();
    synced.isSynced = true;
    Trail trail(files, std::move(synced), log);
    EXPECT_EQ(1U, trail.admit(read("one")).sequence());
    EXPECT_EQ(2U, trail.admit(read("two")).sequence());
}

TEST_F(SpoolTest, WhatAProcessLeftIsWrittenByTheNext) {
    leave(read("one"));
    leave(read("two"));
    {
        Trail trail(files, spooling(), log);
        trail.admit(read("three"));
    }
    const auto all = lines();
    ASSERT_EQ(4U, all.size());
    EXPECT_TRUE(all[0].holds("2 records that the process before this one had not written follow"));
    EXPECT_TRUE(all[1].holds("one"));
    EXPECT_TRUE(all[2].holds("two"));
    EXPECT_TRUE(all[3].holds("three"));
    EXPECT_EQ("", spooled());
}

TEST_F(SpoolTest, WhatIsInTheTrailAlreadyIsNotWrittenAgain) {
    const Record written = read("one");
    { Trail(files, options(), log).admit(written); }
    leave(written);
    leave(read("two"));
    { Trail(files, spooling(), log).admit(read("three")); }
    const auto all = lines();
    ASSERT_EQ(4U, all.size());
    EXPECT_TRUE(all[1].holds("1 record that"));
    EXPECT_TRUE(all[2].holds("two"));
}

TEST_F(SpoolTest, WhatCannotBeWrittenStaysForTheNextProcess) {
    {
        Options going = spooling();
        going.isSynced = true; // nothing but the records of calls that go on
        Trail trail(files, std::move(going), log);
        trail.admit(read("opens the spool"));
        files.fail(Operation::write, "audit.jsonl", ENOSPC, FaultyFileSystem::kAlways);
        EXPECT_EQ(0U, trail.admit(read("went on", By::libvirt)).sequence());
    }
    files.clearFaults();
    EXPECT_NE(std::string::npos, spooled().find("\"late\":true"));
    { Trail(files, spooling(), log).admit(read("after")); }
    const auto all = lines();
    ASSERT_EQ(4U, all.size());
    EXPECT_TRUE(all[2].holds("went on"));
    EXPECT_EQ("", spooled());
}

TEST_F(SpoolTest, RecordsThatWereLeftAreKeptWhenTheFileFails) {
    Trail trail(files, spooling(), log);
    trail.admit(read("opens the spool"));
    files.fail(Operation::write, "audit.jsonl", ENOSPC, FaultyFileSystem::kAlways);
    trail.admit(read("one"));
    EXPECT_TRUE(eventually([&] { return !trail.health().failure.empty(); }));
    EXPECT_THROW(trail.admit(read("two")), UnavailableError);
    EXPECT_NE(std::string::npos, spooled().find("one"));
    files.clearFaults();
    EXPECT_TRUE(eventually([&] { return lines().size() == 2 && spooled().empty(); }));
    EXPECT_TRUE(lines()[1].holds("one"));
    EXPECT_TRUE(lines()[1].holds("\"late\":true"));
}

TEST_F(SpoolTest, WhatFoundNoRoomIsCountedByTheNextProcess) {
    {
        Trail trail(files, spooling(), log);
        trail.admit(read("opens the spool"));
        files.fail(Operation::write, "audit.jsonl", ENOSPC, FaultyFileSystem::kAlways);
        for (std::size_t i = 0; i < Trail::kMaxWaiting + 3; ++i)
            trail.note(read("x"));
        EXPECT_TRUE(eventually([&] { return trail.health().lost == 3; }));
    }
    files.clearFaults();
    const std::size_t left = Spool(disk, kSpool).takeLeft().size() - 1;
    ASSERT_GT(left, 1000U);
    { Trail(files, spooling(), log).admit(read("after")); }
    const auto all = lines();
    ASSERT_EQ(left + 4, all.size());
    EXPECT_TRUE(all[left + 2].holds("audit-records-missing"));
    EXPECT_TRUE(all[left + 2].holds("\"count\":" + std::to_string(Trail::kMaxWaiting + 3 - left)));
}

TEST_F(SpoolTest, WithoutASpoolCallsWait) {
    Options wrong = spooling();
    wrong.spoolFile = "/nowhere/spool";
    Trail trail(files, std::move(wrong), log);
    EXPECT_EQ(1U, trail.admit(read("one")).sequence());
    EXPECT_EQ(2U, trail.admit(read("two")).sequence());
    ASSERT_EQ(1U, log.lines().size());
    EXPECT_NE(std::string::npos, log.lines()[0].find("the audit trail has no spool"));
}

} // namespace
} // namespace keyhold::audit
