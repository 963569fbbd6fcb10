// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/random_walk_fixture.h"

/// crash_test.cpp ends each change at every call, from a clean store. These walks go on with what
/// failed changes and ended processes left. To repeat one, by the seed that its failure names:
/// store_test --gtest_filter='*RandomWalkTest*/Seed2211'
namespace keyhold {
namespace {

constexpr int kSteps = 40;

} // namespace

TEST_P(RandomWalkTest, KeepsWhatWasAcknowledgedAndNothingElse) {
    for (int step = 0; step < kSteps && !HasFatalFailure(); ++step)
        takeStep();
}

TEST_P(RandomWalkTest, KeepsWhatWasAcknowledgedOnDisksThatFail) {
    diskMayFail_ = true;
    for (int step = 0; step < kSteps && !HasFatalFailure(); ++step)
        takeStep();
}

// The same walks in each run. Among these are five that fail where a removal does not expect a
// second name of the file that goes.
INSTANTIATE_TEST_SUITE_P(Walks, RandomWalkTest, testing::Range(2201U, 2801U), nameOfWalk);

} // namespace keyhold
