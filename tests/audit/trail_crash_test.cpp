// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/trail_fixture.h"

#include <random>

namespace keyhold::audit {
namespace {

class TrailCrashTest : public TrailTest {};

/// Runs a trail that is stopped after `k` calls of its file system. Returns how many records it
/// has acknowledged.
std::uint64_t acknowledgedBefore(std::size_t k, MemoryFileSystem &disk, const Options &options,
                                 RecordingAdminLog &log) {
    disk.dieAfter(k, MemoryFileSystem::Calls::all);
    Trail trail(disk, options, log);
    std::uint64_t last = 0;
    for (int i = 0; i < 3; ++i) {
        Record record = ofDriver(Action::valueRead);
        record.isCall = true;
        record.caller = Caller{};
        try {
            last = std::max(last, trail.admit(std::move(record)).sequence());
        } catch (const UnavailableError &) {
            break;
        }
    }
    return last;
}

TEST_F(TrailCrashTest, NoAcknowledgedRecordIsLostByAPowerCutAtAnyCall) {
    std::mt19937_64 random(42);
    for (std::size_t k = 0; k < 120; ++k) {
        MemoryFileSystem own;
        const std::uint64_t last = acknowledgedBefore(k, own, options(), log);
        own.clearFaults();
        own.crashPowerLoss(random);
        Trail trail(own, options(), log);
        const std::uint64_t next = trail.admit(read("after")).sequence();
        EXPECT_GT(next, last) << "stopped after call " << k;
        trail.stop();
        const auto all = checkedLines(own.content(kFile).value_or(""));
        ASSERT_GE(all.size(), last + 1) << "stopped after call " << k;
        EXPECT_EQ(next, all.back().sequence);
    }
}

} // namespace
} // namespace keyhold::audit
