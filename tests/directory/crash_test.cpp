// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/crash_fixture.h"

/// Every change, stopped or failed at every system call: afterwards a new process finds the state
/// before or the state after, and the one that was acknowledged.
namespace keyhold {
namespace {

// At each call. What a cut leaves is the same in every build; sanitizers take ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kPowerCuts = 6;
#else
constexpr int kPowerCuts = 60;
#endif

void none(SecretStore &) {}

void defineWithValue(SecretStore &store) {
    store.define(definitionOf(1, "one"), allow);
    store.setValue(uuidNumber(1), bytes("old value"), allow);
}

void defineEphemeralWithValue(SecretStore &store) {
    store.define(ephemeral(definitionOf(1, "one")), allow);
    store.setValue(uuidNumber(1), bytes("old value"), allow);
}

void undefineOne(SecretStore &store) {
    store.undefine(uuidNumber(1), allow);
}

const std::vector<CrashChange> &changes() {
    static const auto *const all = new std::vector<CrashChange>{
        {"Define", none, [](SecretStore &s) { s.define(definitionOf(1, "one"), allow); }},
        {"DefineAfterUndefine",
         [](SecretStore &s) {
             defineWithValue(s);
             undefineOne(s);
         },
         [](SecretStore &s) { s.define(definitionOf(1, "one"), allow); }},
        {"Redefine", defineWithValue,
         [](SecretStore &s) { s.define(described(definitionOf(1, "one"), "new"), allow); }},
        {"SetFirstValue", [](SecretStore &s) { s.define(definitionOf(1), allow); },
         [](SecretStore &s) { s.setValue(uuidNumber(1), bytes("new value"), allow); }},
        {"SetValueOverValue", defineWithValue,
         [](SecretStore &s) { s.setValue(uuidNumber(1), bytes("new value"), allow); }},
        {"SetEmptyValue", defineWithValue,
         [](SecretStore &s) { s.setValue(uuidNumber(1), {}, allow); }},
        {"Undefine", defineWithValue, undefineOne},
        {"UndefineWithoutValue", [](SecretStore &s) { s.define(definitionOf(1), allow); },
         undefineOne},
        {"BecomeEphemeral", defineWithValue,
         [](SecretStore &s) { s.define(ephemeral(definitionOf(1, "one")), allow); }},
        {"BecomePersistent", defineEphemeralWithValue,
         [](SecretStore &s) { s.define(definitionOf(1, "one"), allow); }},
    };
    return *all;
}

} // namespace

TEST_P(CrashTest, KilledAtEveryCall) {
    learn();
    for (std::size_t k = 0; k <= calls_; ++k) {
        StoreBench bench;
        const bool isAcknowledged = endsAfter(k, bench);
        bench.disk.crashKill();
        expectOldOrNew(bench, isAcknowledged, "killed after call " + std::to_string(k));
    }
}

TEST_P(CrashTest, PowerLostAtEveryCall) {
    learn();
    std::mt19937_64 rng(20231123);
    for (std::size_t k = 0; k <= calls_; ++k) {
        for (int round = 0; round < kPowerCuts; ++round) {
            StoreBench bench;
            const bool isAcknowledged = endsAfter(k, bench);
            bench.disk.crashPowerLoss(rng);
            expectOldOrNew(bench, isAcknowledged, "power lost after call " + std::to_string(k));
        }
    }
}

TEST_P(CrashTest, KilledAtEveryCallAndPowerLostAtEveryCallOfTheNextStart) {
    constexpr std::size_t kCallsOfStart = 5;
    learn();
    std::mt19937_64 rng(20231124);
    for (std::size_t k = 0; k <= calls_; ++k) {
        for (std::size_t cut = 0; cut < kCallsOfStart * kPowerCuts / 2; ++cut) {
            StoreBench bench;
            const bool isAcknowledged = endsAfter(k, bench);
            bench.disk.crashKill();
            bench.disk.dieAfter(cut % kCallsOfStart);
            bench.start().reset();
            bench.disk.crashPowerLoss(rng);
            expectOldOrNew(bench, isAcknowledged,
                           "killed after call " + std::to_string(k) + ", power lost after call " +
                               std::to_string(cut % kCallsOfStart) + " of the start");
        }
    }
}

TEST_P(CrashTest, OneFailedCallLeavesMemoryAndDiskEqual) {
    learn();
    for (const auto effect : {MemoryFileSystem::Effect::none, MemoryFileSystem::Effect::done}) {
        for (std::size_t k = 1; k <= calls_; ++k) {
            StoreBench bench;
            auto store = bench.start();
            prepare(bench, *store);
            const StoreState old = stateOf(*store);
            bench.disk.clearTrace();
            bench.disk.failCall(k, EIO, effect);
            std::string when = "call " + std::to_string(k) + " failed:";
            const bool isAcknowledged = change(bench, *store);
            const StoreState live = stateOf(*store);
            for (const std::string &line : bench.disk.trace())
                when += "\n" + line;
            if (!isAcknowledged) {
                EXPECT_EQ(live, old) << when;
            }

            // Works again once the disk does.
            bench.disk.clearFaults();
            StoreState stored;
            for (const auto &[uuid, state] : live) {
                if (state.xml.find("ephemeral='yes'") == std::string::npos)
                    stored.emplace(uuid, state);
            }
            store.reset();
            bench.disk.crashKill();
            EXPECT_EQ(bench.stateAfterStart(), stored) << when;
            expectClean(bench, "in the end");
        }
    }
}

TEST_P(CrashTest, WorksAgainAfterAFailure) {
    learn();
    for (std::size_t k = 1; k <= calls_; ++k) {
        StoreBench bench;
        auto store = bench.start();
        prepare(bench, *store);
        bench.disk.failCall(k, EIO);
        if (change(bench, *store))
            continue;
        EXPECT_TRUE(change(bench, *store)) << "second try after failed call " << k;
        store.reset();
        bench.disk.crashKill();
        EXPECT_EQ(bench.stateAfterStart(), after_);
        expectClean(bench, "in the end");
    }
}

TEST_P(CrashTest, DiskThatFailsFromACallOnLosesNothing) {
    learn();
    for (std::size_t k = 1; k <= calls_; ++k) {
        StoreBench bench;
        auto store = bench.start();
        prepare(bench, *store);
        bench.disk.failFrom(k, EIO);
        const bool isAcknowledged = change(bench, *store);
        bench.disk.clearFaults();
        store.reset();
        bench.disk.crashKill();
        expectOldOrNew(bench, isAcknowledged, "failing from call " + std::to_string(k));
    }
}

TEST_P(CrashTest, DiskThatIsGoneFromACallOnLosesNothingAcknowledged) {
    learn();
    std::mt19937_64 rng(20261128);
    for (const DiskLoss how : {DiskLoss::shutDown, DiskLoss::readOnly}) {
        for (std::size_t k = 0; k <= calls_; ++k) {
            for (int round = 0; round < kPowerCuts / 6; ++round) {
                StoreBench bench;
                auto store = bench.start();
                prepare(bench, *store);
                bench.disk.loseDisk(k, how);
                const bool isAcknowledged = change(bench, *store);
                store.reset();
                bench.disk.crashPowerLoss(rng);
                expectOldOrNew(bench, isAcknowledged, "gone after call " + std::to_string(k));
            }
        }
    }
}

TEST_P(CrashTest, FullDiskChangesNothing) {
    learn();
    StoreBench bench;
    auto store = bench.start();
    prepare(bench, *store);
    const StoreState old = stateOf(*store);
    bench.disk.failFrom(1, ENOSPC);
    EXPECT_FALSE(change(bench, *store));
    EXPECT_EQ(stateOf(*store), old);
}

INSTANTIATE_TEST_SUITE_P(Changes, CrashTest, testing::ValuesIn(changes()), nameOfChange);

} // namespace keyhold
