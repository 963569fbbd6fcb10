// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/inhibitor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace keyhold {

namespace {

/// Counts as libvirtd does, and notes a count that is neither 0 nor 1.
struct Host {
    std::atomic<int> holds{0};
    std::atomic<int> calls{0};
    std::atomic<bool> isMiscounted{false};

    static void onCall(bool inhibit, void *opaque) {
        auto &host = *static_cast<Host *>(opaque);
        const int count = inhibit ? ++host.holds : --host.holds;
        if (count != 0 && count != 1)
            host.isMiscounted = true;
        ++host.calls;
    }
};

} // namespace

TEST(Inhibitor, HoldsAtTheFirstAndReleasesAtTheLast) {
    Host host;
    Inhibitor inhibitor(Host::onCall, &host);
    bool isWanted = false;
    const auto follow = [&] { inhibitor.follow([&] { return isWanted; }); };
    follow();
    EXPECT_EQ(host.calls, 0);
    isWanted = true;
    follow();
    follow();
    EXPECT_EQ(host.holds, 1);
    EXPECT_EQ(host.calls, 1);
    isWanted = false;
    follow();
    follow();
    EXPECT_EQ(host.holds, 0);
    EXPECT_EQ(host.calls, 2);
}

TEST(Inhibitor, AsksNothingWhereTheHostCannotBeTold) {
    Inhibitor inhibitor(nullptr, nullptr);
    inhibitor.follow([]() -> bool {
        ADD_FAILURE() << "asked";
        return true;
    });
}

TEST(Inhibitor, FollowsAChangeThatComesWhileTheHostIsTold) {
    struct Busy {
        Inhibitor *inhibitor = nullptr;
        bool isWanted = true;
        std::string calls;

        static void onCall(bool inhibit, void *opaque) {
            auto &self = *static_cast<Busy *>(opaque);
            self.calls += inhibit ? "+" : "-";
            if (inhibit && self.calls.size() < 3) {
                self.isWanted = false;
                self.inhibitor->follow([&] { return self.isWanted; });
            }
        }
    } busy;
    Inhibitor inhibitor(Busy::onCall, &busy);
    busy.inhibitor = &inhibitor;
    inhibitor.follow([&] { return busy.isWanted; });
    EXPECT_EQ(busy.calls, "+-");
}

TEST(Inhibitor, MatchesEachHoldByOneReleaseUnderThreads) {
    constexpr int kThreads = 8;
    constexpr int kRounds = 5'000;
    Host host;
    Inhibitor inhibitor(Host::onCall, &host);
    std::atomic<int> ephemeral{0};
    const auto follow = [&] { inhibitor.follow([&] { return ephemeral > 0; }); };
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < kRounds; ++round) {
                ++ephemeral;
                follow();
                --ephemeral;
                follow();
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_FALSE(host.isMiscounted);
    EXPECT_EQ(host.holds, 0);
    ++ephemeral;
    follow();
    EXPECT_EQ(host.holds, 1);
}

} // namespace keyhold
