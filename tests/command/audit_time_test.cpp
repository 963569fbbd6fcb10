// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit_time.h"
#include "conf/error.h"

#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold::command {
namespace {

using testing::StartsWith;

/// In a zone that is an hour before UTC, in summer two.
class AuditTime : public testing::Test {
  protected:
    AuditTime() {
        ::setenv("TZ", "Europe/Prague", 1); // NOLINT(concurrency-mt-unsafe): there is one thread
        ::tzset();
    }
    ~AuditTime() override {
        ::unsetenv("TZ"); // NOLINT(concurrency-mt-unsafe): there is one thread
        ::tzset();
    }

    /// The time so many seconds ago, in UTC, to the second.
    static std::string ago(std::time_t seconds) {
        const std::time_t then = std::time(nullptr) - seconds;
        std::tm parts{};
        ::gmtime_r(&then, &parts);
        char text[sizeof "2026-11-29T10:00:00"];
        return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts)};
    }

    /// Whether a text means so long ago; the clock does not stand still.
    static bool isAgo(const std::string &text, std::time_t seconds) {
        const std::string before = ago(seconds);
        const std::string parsed = parseTrailTime(text).substr(0, before.size());
        return before <= parsed && parsed <= ago(seconds);
    }
};

TEST_F(AuditTime, LocalTime) {
    EXPECT_EQ(parseTrailTime("2026-11-29 10:00"), "2026-11-29T09:00:00.000000Z");
    EXPECT_EQ(parseTrailTime("2026-11-29T10:00:30"), "2026-11-29T09:00:30.000000Z");
    EXPECT_EQ(parseTrailTime("2026-07-01 10:00"), "2026-07-01T08:00:00.000000Z");
    EXPECT_EQ(parseTrailTime("2026-11-29"), "2026-11-28T23:00:00.000000Z");
}

TEST_F(AuditTime, WithAnOffset) {
    EXPECT_EQ(parseTrailTime("2026-11-29T10:00:00Z"), "2026-11-29T10:00:00.000000Z");
    EXPECT_EQ(parseTrailTime("2026-11-29T10:00:00.25+05:30"), "2026-11-29T04:30:00.250000Z");
    EXPECT_EQ(parseTrailTime("2026-11-29 10:00Z"), "2026-11-29T10:00:00.000000Z");
}

TEST_F(AuditTime, Ago) {
    EXPECT_TRUE(isAgo("now", 0));
    EXPECT_TRUE(isAgo("45 seconds ago", 45));
    EXPECT_TRUE(isAgo("1 minute ago", 60));
    EXPECT_TRUE(isAgo("2 hours ago", 7200));
    EXPECT_TRUE(isAgo("2h", 7200));
    EXPECT_TRUE(isAgo("-2h", 7200));
    EXPECT_TRUE(isAgo("30 min ago", 1800));
    EXPECT_TRUE(isAgo("3d", 259200));
    EXPECT_TRUE(isAgo("2 weeks", 1209600));
}

TEST_F(AuditTime, TodayAndYesterdayBeginAtMidnight) {
    const std::string today = localTimeText(parseTrailTime("today"));
    EXPECT_THAT(today, testing::HasSubstr("T00:00:00+0"));
    EXPECT_THAT(localTimeText(parseTrailTime("yesterday")), testing::HasSubstr("T00:00:00+0"));
    EXPECT_LT(parseTrailTime("yesterday"), parseTrailTime("today"));
    EXPECT_THAT(localTimeText(parseTrailTime("10:30")),
                StartsWith(today.substr(0, std::string("2026-11-29").size()) + "T10:30:00"));
}

TEST_F(AuditTime, WhatIsNoTime) {
    for (const char *const text : {"", "soon", "2 fortnights ago", "2026-13-01", "25:00", "-", "h",
                                   "2026-11-29 10", "1h ago yesterday", "s", "99999999999h"})
        EXPECT_THROW(static_cast<void>(parseTrailTime(text)), Error) << text;
}

TEST_F(AuditTime, ATimeOfARecordIsShownAsLocalTime) {
    EXPECT_EQ(localTimeText("2026-11-29T09:00:00.123456Z"), "2026-11-29T10:00:00+01:00");
    EXPECT_EQ(localTimeText("never"), "never");
}

} // namespace
} // namespace keyhold::command
