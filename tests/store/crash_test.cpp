// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/store_fixture.h"

#include <gtest/gtest.h>

#include <functional>

/// Every change, stopped or failed at every system call: afterwards a new process finds the state
/// before or the state after, and the one that was acknowledged.
namespace keyhold {
namespace {

struct Change {
    const char *name;
    std::function<void(SecretStore &)> prepare;
    std::function<void(SecretStore &)> change;
};

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

const std::vector<Change> &changes() {
    static const auto *const all = new std::vector<Change>{
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

class CrashTest : public testing::TestWithParam<Change> {
  protected:
    // The disk and what is on it after the preparation; ephemeral secrets are in `store` too.
    std::unique_ptr<SecretStore> prepared() {
        auto store = bench_.start();
        GetParam().prepare(*store);
        return store;
    }

    // States a new process may find: those before and after the change.
    void learn() {
        StoreBench before;
        GetParam().prepare(*before.start());
        before.disk.crashKill();
        before_ = before.stateAfterStart();

        StoreBench after;
        auto store = after.start();
        GetParam().prepare(*store);
        after.disk.clearTrace();
        GetParam().change(*store);
        calls_ = after.disk.callCount();
        after.disk.crashKill();
        after_ = after.stateAfterStart();
    }

    bool change(SecretStore &store) {
        try {
            GetParam().change(store);
            return true;
        } catch (const Error &) {
            return false;
        }
    }

    void expectClean(StoreBench &bench) {
        for (const std::string &name : bench.names()) {
            EXPECT_EQ(name.find("keyhold"), std::string::npos) << name;
            EXPECT_EQ(name.find("aside"), std::string::npos) << name;
        }
    }

    void expectOldOrNew(StoreBench &bench, bool isAcknowledged, const std::string &when) {
        const StoreState found = bench.stateAfterStart();
        if (isAcknowledged) {
            EXPECT_EQ(found, after_) << when;
        } else {
            EXPECT_TRUE(found == before_ || found == after_)
                << when << ": " << testing::PrintToString(found);
        }
        expectClean(bench);
        // Values go and come with their definitions.
        const auto names = bench.names();
        for (const auto &name : names) {
            if (name.ends_with(".base64")) {
                EXPECT_NE(std::find(names.begin(), names.end(), name.substr(0, 36) + ".xml"),
                          names.end())
                    << when;
            }
        }
    }

    StoreBench bench_;
    StoreState before_;
    StoreState after_;
    std::size_t calls_ = 0;
};

TEST_P(CrashTest, KilledAtEveryCall) {
    learn();
    for (std::size_t k = 0; k <= calls_; ++k) {
        StoreBench bench;
        auto store = bench.start();
        GetParam().prepare(*store);
        bench.disk.dieAfter(k);
        const bool isAcknowledged = change(*store);
        store.reset();
        bench.disk.crashKill();
        expectOldOrNew(bench, isAcknowledged, "killed after call " + std::to_string(k));
    }
}

TEST_P(CrashTest, PowerLostAtEveryCall) {
    learn();
    std::mt19937_64 rng(20231123);
    constexpr int kRounds = 60;
    for (std::size_t k = 0; k <= calls_; ++k) {
        for (int round = 0; round < kRounds; ++round) {
            StoreBench bench;
            auto store = bench.start();
            GetParam().prepare(*store);
            bench.disk.dieAfter(k);
            const bool isAcknowledged = change(*store);
            store.reset();
            bench.disk.crashPowerLoss(rng);
            expectOldOrNew(bench, isAcknowledged, "power lost after call " + std::to_string(k));
        }
    }
}

TEST_P(CrashTest, OneFailedCallLeavesMemoryAndDiskEqual) {
    learn();
    for (const auto effect : {MemoryFileSystem::Effect::none, MemoryFileSystem::Effect::done}) {
        for (std::size_t k = 1; k <= calls_; ++k) {
            StoreBench bench;
            auto store = bench.start();
            GetParam().prepare(*store);
            const StoreState old = stateOf(*store);
            bench.disk.clearTrace();
            bench.disk.failCall(k, EIO, effect);
            std::string when = "call " + std::to_string(k) + " failed:";
            const bool isAcknowledged = change(*store);
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
            expectClean(bench);
        }
    }
}

TEST_P(CrashTest, WorksAgainAfterAFailure) {
    learn();
    for (std::size_t k = 1; k <= calls_; ++k) {
        StoreBench bench;
        auto store = bench.start();
        GetParam().prepare(*store);
        bench.disk.failCall(k, EIO);
        if (change(*store))
            continue;
        EXPECT_TRUE(change(*store)) << "second try after failed call " << k;
        store.reset();
        bench.disk.crashKill();
        EXPECT_EQ(bench.stateAfterStart(), after_);
        expectClean(bench);
    }
}

TEST_P(CrashTest, DiskThatFailsFromACallOnLosesNothing) {
    learn();
    for (std::size_t k = 1; k <= calls_; ++k) {
        StoreBench bench;
        auto store = bench.start();
        GetParam().prepare(*store);
        bench.disk.failFrom(k, EIO);
        const bool isAcknowledged = change(*store);
        bench.disk.clearFaults();
        store.reset();
        bench.disk.crashKill();
        expectOldOrNew(bench, isAcknowledged, "failing from call " + std::to_string(k));
    }
}

TEST_P(CrashTest, FullDiskChangesNothing) {
    learn();
    StoreBench bench;
    auto store = bench.start();
    GetParam().prepare(*store);
    const StoreState old = stateOf(*store);
    bench.disk.failFrom(1, ENOSPC);
    EXPECT_FALSE(change(*store));
    EXPECT_EQ(stateOf(*store), old);
}

INSTANTIATE_TEST_SUITE_P(Changes, CrashTest, testing::ValuesIn(changes()),
                         [](const auto &test) { return std::string(test.param.name); });

} // namespace
} // namespace keyhold
