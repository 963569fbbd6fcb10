// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/deadline.h"

#include <gtest/gtest.h>

namespace keyhold {
namespace {

TEST(DeadlineTest, PassesAtItsEnd) {
    Deadline::Clock::time_point now{std::chrono::hours(5)};
    const Deadline deadline(std::chrono::seconds(2), [&now] { return now; });
    EXPECT_FALSE(deadline.hasPassed());
    now += std::chrono::milliseconds(1999);
    EXPECT_FALSE(deadline.hasPassed());
    now += std::chrono::milliseconds(1);
    EXPECT_TRUE(deadline.hasPassed());
}

TEST(DeadlineTest, GoesByTheSteadyClock) {
    EXPECT_TRUE(Deadline(std::chrono::seconds(0)).hasPassed());
    EXPECT_FALSE(Deadline(std::chrono::hours(1)).hasPassed());
}

} // namespace
} // namespace keyhold
