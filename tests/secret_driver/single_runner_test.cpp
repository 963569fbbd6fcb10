// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/single_runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace keyhold {

namespace {

constexpr int kThreads = 8;
constexpr int kRequests = 20'000;

} // namespace

TEST(SingleRunner, RunsOnceForEachRequestThatMeetsNoOther) {
    SingleRunner runner;
    int runs = 0;
    for (int i = 1; i <= 3; ++i) {
        runner.request([&] { ++runs; });
        EXPECT_EQ(runs, i);
    }
}

TEST(SingleRunner, ARequestFromTheWorkItselfMakesItRunAgainAfterwards) {
    SingleRunner runner;
    int depth = 0;
    int deepest = 0;
    int runs = 0;
    const auto work = [&] {
        deepest = std::max(deepest, ++depth);
        if (++runs < 3)
            runner.request(
                [] { FAIL() << "the work of the running request is the one that runs"; });
        --depth;
    };
    runner.request(work);
    EXPECT_EQ(runs, 3);
    EXPECT_EQ(deepest, 1);
}

TEST(SingleRunner, TwoRequestsDuringOneRunMakeOneMore) {
    SingleRunner runner;
    int runs = 0;
    runner.request([&] {
        if (++runs == 1) {
            runner.request([] {});
            runner.request([] {});
        }
    });
    EXPECT_EQ(runs, 2);
}

TEST(SingleRunner, NeverRunsOnTwoThreadsAndForgetsNoRequest) {
    SingleRunner runner;
    std::atomic<int> requested{0};
    std::atomic<bool> isInside{false};
    std::atomic<bool> hasMet{false};
    int seen = 0; // not atomic: one thread at a time, one after the other
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < kRequests; ++j) {
                ++requested;
                runner.request([&] {
                    if (isInside.exchange(true))
                        hasMet = true;
                    seen = requested;
                    isInside = false;
                });
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_FALSE(hasMet);
    EXPECT_EQ(seen, kThreads * kRequests);
}

TEST(SingleRunner, RunsAgainAfterWorkThatRaised) {
    SingleRunner runner;
    EXPECT_THROW(runner.request([] { throw std::runtime_error("x"); }), std::runtime_error);
    bool hasRun = false;
    runner.request([&] { hasRun = true; });
    EXPECT_TRUE(hasRun);
}

} // namespace keyhold
