// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/trail_fixture.h"

#include "conf/no_memory.h"

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace keyhold::audit {
namespace {

/// A disk that does not answer until it is told to.
class Gate {
  public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        opened_.wait(lock, [this] { return isOpen_; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        isOpen_ = true;
        opened_.notify_all();
    }
    [[nodiscard]] int waiting() {
        const std::lock_guard lock(mutex_);
        return waiting_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool isOpen_ = false;
    int waiting_ = 0;
};

class TrailFailureTest : public TrailTest {
  protected:
    void SetUp() override { trail.admit(read("before")); }
    void fillDisk() {
        files.fail(Operation::write, "audit.jsonl", ENOSPC, FaultyFileSystem::kAlways);
    }
    std::string refusal(Trail &of, By by = By::client) {
        try {
            static_cast<void>(of.admit(read("refused", by)));
        } catch (const UnavailableError &error) {
            return error.fullText();
        }
        return {};
    }
    /// A call that waits for a disk which does not answer, and what became of it.
    std::string refusalWhileHung(By by) {
        std::string text;
        std::jthread call([&] { text = refusal(trail, by); });
        EXPECT_TRUE(eventually([&] { return gate.waiting() > 0; }));
        seconds += 3;
        return call.join(), text;
    }

    Gate gate;
    Trail trail{files, options(), log};
};

TEST_F(TrailFailureTest, ClientsAreRefusedByNameOfFileAndReason) {
    fillDisk();
    EXPECT_EQ("refused, because the audit trail '/log/audit.jsonl' cannot be written: cannot "
              "write the audit trail '/log/audit.jsonl': No space left on device",
              refusal(trail));
    EXPECT_EQ(1U, lines().size());
    EXPECT_EQ(1U, log.lines().size());
    static_cast<void>(refusal(trail));
    EXPECT_EQ(1U, log.lines().size()) << "a line a cause, not one a call";
}

TEST_F(TrailFailureTest, CallsOfLibvirtGoOnAndAreWrittenLater) {
    fillDisk();
    EXPECT_EQ(0U, trail.admit(read("guest", By::libvirt)).sequence());
    EXPECT_EQ(1U, trail.health().waiting);
    EXPECT_NE("", trail.health().failure);
    files.clearFaults();
    EXPECT_TRUE(eventually([&] { return lines().size() == 2; })) << "nobody need call for that";
    EXPECT_TRUE(lines()[1].holds("guest") && lines()[1].holds("\"late\":true"));
    EXPECT_TRUE(eventually([&] { return trail.health().failure.empty(); }));
}

TEST_F(TrailFailureTest, WhatCameOfALateRecordNamesIt) {
    fillDisk();
    const Admission guest = trail.admit(read("guest", By::libvirt));
    EXPECT_EQ(0U, guest.sequence());
    trail.note(read("outcome"), guest);
    files.clearFaults();
    ASSERT_TRUE(eventually([&] { return lines().size() == 3; }));
    EXPECT_TRUE(lines()[1].holds("guest"));
    EXPECT_TRUE(lines()[2].holds("outcome") && lines()[2].holds("\"follows\":2"));
    EXPECT_TRUE(eventually([&] { return guest.sequence() == 2; }));
}

TEST_F(TrailFailureTest, ARecordOnItsWayIsCalledLateBehindIt) {
    files.before(Operation::write, "audit.jsonl", [&] { gate.pass(); });
    EXPECT_EQ("", refusalWhileHung(By::libvirt));
    files.clearFaults();
    gate.open();
    ASSERT_TRUE(eventually([&] { return lines().size() == 3; }));
    EXPECT_FALSE(lines()[1].holds("late"));
    EXPECT_TRUE(lines()[2].holds("\"late\":true") && lines()[2].holds("\"follows\":2"));
}

TEST_F(TrailFailureTest, ARecordThatThereIsNoMemoryForCountsAsLost) {
    Record record = read("one");
    {
        const NoMemory none;
        trail.note(std::move(record));
    }
    EXPECT_EQ(3U, trail.admit(read("two")).sequence());
    EXPECT_TRUE(lines()[1].holds("audit-records-missing"));
    EXPECT_EQ(1U, trail.health().lost);
}

TEST_F(TrailFailureTest, APolicyCountsFromTheNextRecordOn) {
    const std::size_t before = files.count(Operation::sync, "audit.jsonl");
    trail.setPolicy(false, AuditOnFailure::proceed);
    trail.admit(read("one"));
    EXPECT_EQ(before, files.count(Operation::sync, "audit.jsonl"));
    fillDisk();
    EXPECT_EQ("", refusal(trail));
}

TEST_F(TrailFailureTest, ACallWithoutIdentityCountsAsOneOfLibvirt) {
    fillDisk();
    Record record = read("embedded");
    record.caller.reset();
    EXPECT_EQ(0U, trail.admit(std::move(record)).sequence());
}

TEST_F(TrailFailureTest, TheSettingDecidesWhoGoesOn) {
    trail.stop();
    Options all = options();
    all.onFailure = AuditOnFailure::proceed;
    {
        Trail lenient(files, all, log);
        fillDisk();
        EXPECT_EQ("", refusal(lenient));
    }
    all.onFailure = AuditOnFailure::refuse;
    Trail strict(files, all, log);
    EXPECT_NE("", refusal(strict, By::libvirt));
}

TEST_F(TrailFailureTest, WhatFindsNoRoomIsCountedByARecord) {
    fillDisk();
    for (std::size_t i = 0; i < Trail::kMaxWaiting + 3; ++i)
        trail.note(read("x"));
    EXPECT_TRUE(eventually([&] { return trail.health().lost == 3; }));
    EXPECT_EQ(Trail::kMaxWaiting, trail.health().waiting);
    files.clearFaults();
    ASSERT_TRUE(eventually([&] { return lines().size() == Trail::kMaxWaiting + 2; }));
    EXPECT_TRUE(lines()[1].holds("audit-records-missing") && lines()[1].holds("\"count\":3"));
}

TEST_F(TrailFailureTest, ADiskThatHangsKeepsACallForItsDeadlineAndLaterOnesNotAtAll) {
    files.before(Operation::write, "audit.jsonl", [&] { gate.pass(); });
    EXPECT_NE(std::string::npos,
              refusalWhileHung(By::client).find("has not answered for 2 seconds"));
    EXPECT_NE("", refusal(trail)) << "and the clock has not moved";
    EXPECT_EQ(0U, trail.admit(read("guest", By::libvirt)).sequence());
    files.clearFaults();
    gate.open();
    // The one whose record was on its way is told of; the others of after it.
    EXPECT_TRUE(eventually([&] { return lines().size() == 4; }));
    const auto all = lines();
    EXPECT_TRUE(all[1].holds("refused") && all[1].holds("\"success\""));
    EXPECT_TRUE(all[2].holds("guest") || all[3].holds("guest"));
    const SeenLine &correction = all[2].holds("guest") ? all[3] : all[2];
    EXPECT_TRUE(correction.holds("audit-unavailable") && correction.holds("\"follows\":2"));
    EXPECT_EQ(5U, trail.admit(read("after")).sequence());
}

TEST_F(TrailFailureTest, ARefusalWhoseWriteFailsIsWrittenLater) {
    files.before(Operation::write, "audit.jsonl", [&] { gate.pass(); });
    EXPECT_NE("", refusalWhileHung(By::client));
    EXPECT_TRUE(log.mentions("has not answered for 2 seconds"));
    files.fail(Operation::write, "audit.jsonl", EIO);
    gate.open();
    EXPECT_TRUE(eventually([&] { return lines().size() == 2; }));
    EXPECT_TRUE(lines()[1].holds("audit-unavailable") && lines()[1].holds("\"late\":true"));
}

TEST_F(TrailFailureTest, WhatIsLostWithTheEndIsCountedInTheLog) {
    fillDisk();
    EXPECT_EQ(0U, trail.admit(read("guest", By::libvirt)).sequence());
    trail.stop();
    EXPECT_TRUE(log.mentions("ends without 1 record that could not be written"));
    EXPECT_EQ(0U, trail.admit(read("guest", By::libvirt)).sequence());
    EXPECT_TRUE(log.mentions("went on unrecorded"));
}

TEST_F(TrailFailureTest, AThreadThatHangsIsLeftBehindAtTheEnd) {
    files.before(Operation::sync, "audit.jsonl", [&] { gate.pass(); });
    EXPECT_EQ("", refusalWhileHung(By::libvirt));
    std::jthread stopping([&] { trail.stop(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    seconds += 3;
    stopping.join();
    files.clearFaults();
    gate.open(); // so that it ends before what it uses
    EXPECT_TRUE(eventually([&] { return files.openDescriptors() == 0; }));
}

TEST_F(TrailFailureTest, AfterAFailedSyncTheFileIsReadAgain) {
    files.fail(Operation::sync, "audit.jsonl", EIO);
    EXPECT_NE("", refusal(trail));
    EXPECT_EQ(2U, trail.admit(read("after")).sequence());
    EXPECT_EQ(2U, lines().size());
}

TEST_F(TrailFailureTest, WhatAFailedWriteHasWrittenAllTheSameIsExplained) {
    files.fail(Operation::sync, "audit.jsonl", EIO);
    files.fail(Operation::truncate, "audit.jsonl", EIO);
    EXPECT_NE("", refusal(trail));
    EXPECT_EQ(4U, trail.admit(read("after")).sequence());
    const auto all = lines();
    ASSERT_EQ(4U, all.size());
    EXPECT_TRUE(all[2].holds("the calls of the records after 1 may have been refused"));
}

TEST_F(TrailFailureTest, SealsGoOnAfterAFailure) {
    trail.stop();
    putKey(2);
    Trail sealed(files, options(), log);
    static_cast<void>(sealed.admit(read("one")));
    files.fail(Operation::write, "audit.jsonl", ENOSPC, 3);
    for (int i = 0; i < 3; ++i)
        EXPECT_NE("", refusal(sealed));
    EXPECT_EQ(3U, sealed.admit(read("two")).sequence());
    SealingKey key(2, sha256(bytesOf("K")));
    key.advanceTo(3);
    const std::string text = *disk.content(kFile);
    const std::size_t start = text.rfind('\n', text.size() - 2) + 1;
    const auto line = parseLine(std::string_view(text).substr(start, text.size() - 1 - start));
    ASSERT_TRUE(line && line->seal);
    EXPECT_EQ(key.seal(line->chain), *line->seal);
}

} // namespace
} // namespace keyhold::audit
