// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/rate_limited.h"

#include <atomic>

#include <gtest/gtest.h>

namespace keyhold {
namespace {

class RateLimitedTest : public testing::Test {
  protected:
    std::function<void()> work() {
        return [this] {
            ++runs;
            runs.notify_all();
        };
    }
    void waitForRuns(int count) {
        for (int now = runs; now < count; now = runs)
            runs.wait(now);
    }

    std::atomic<int> runs{0};
};

TEST_F(RateLimitedTest, TheFirstRequestIsFollowedAtOnce) {
    RateLimited limited(std::chrono::hours(1), work());
    limited.request();
    waitForRuns(1);
}

TEST_F(RateLimitedTest, RequestsWithinThePeriodAreOneAndAreDroppedAtTheEnd) {
    {
        RateLimited limited(std::chrono::hours(1), work());
        limited.request();
        waitForRuns(1);
        for (int i = 0; i < 100; ++i)
            limited.request();
    }
    EXPECT_EQ(1, runs);
}

TEST_F(RateLimitedTest, TheLastRequestIsFollowed) {
    RateLimited limited(std::chrono::milliseconds(10), work());
    for (int round = 1; round <= 5; ++round) {
        const int before = runs;
        limited.request();
        waitForRuns(before + 1);
    }
}

TEST_F(RateLimitedTest, ARequestOfTheWorkItselfIsFollowed) {
    RateLimited *self = nullptr;
    RateLimited limited(std::chrono::milliseconds(1), [&] {
        if (runs < 2)
            self->request();
        ++runs;
        runs.notify_all();
    });
    self = &limited;
    limited.request();
    waitForRuns(3);
}

} // namespace
} // namespace keyhold
