// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes in several threads. A test that would deadlock if the store held a lock across a file
// operation gives up after kPatience, long after any disk would have answered.
#include "store/secret_store.h"

#include "os/faulty_file_system.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <thread>

namespace keyhold {
namespace {

using testing::ElementsAre;

constexpr std::chrono::seconds kPatience{60};

/// Where a number of threads wait for each other.
class Meeting {
  public:
    explicit Meeting(int expected) : missing_(expected) {}

    /// True if all have come.
    bool join() {
        std::unique_lock lock(mutex_);
        --missing_;
        came_.notify_all();
        return came_.wait_for(lock, kPatience, [&] { return missing_ <= 0; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable came_;
    int missing_;
};

class SecretStoreWritersTest : public testing::Test {
  protected:
    SecretStoreWritersTest() {
        bench.fileSystem = &faulty;
        store = bench.start();
        for (const int n : {1, 2}) {
            store->define(definitionOf(n, std::to_string(n)), allow);
            store->setValue(uuidNumber(n), bytes("old"), allow);
        }
        static_cast<void>(store->takeChanges());
    }

    static std::string stagedValue(int n) {
        return layout::valueName(uuidNumber(n), ValueFormat::plain, layout::Stage::fresh);
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::unique_ptr<SecretStore> store;
};

TEST_F(SecretStoreWritersTest, TwoWritersOfTwoSecretsSyncAtTheSameTime) {
    Meeting meeting(2);
    for (const int n : {1, 2})
        faulty.before(Operation::sync, stagedValue(n), [&] { EXPECT_TRUE(meeting.join()); });
    std::thread other([&] { store->setValue(uuidNumber(2), bytes("new"), allow); });
    store->setValue(uuidNumber(1), bytes("new"), allow);
    other.join();
    EXPECT_EQ("=new", stateOf(*store, 1).value);
    EXPECT_EQ("=new", stateOf(*store, 2).value);
}

TEST_F(SecretStoreWritersTest, AllKindsOfChangesOfDifferentSecretsRunSideBySide) {
    Meeting meeting(4);
    const auto meet = [&] { EXPECT_TRUE(meeting.join()); };
    faulty.before(Operation::sync, layout::definitionName(uuidNumber(1), layout::Stage::fresh),
                  meet);
    faulty.before(Operation::rename,
                  layout::valueName(uuidNumber(2), ValueFormat::plain, layout::Stage::leaving),
                  meet);
    faulty.before(Operation::sync, layout::definitionName(uuidNumber(3), layout::Stage::fresh),
                  meet);
    std::vector<std::thread> threads;
    threads.emplace_back([&] { store->define(described(definitionOf(1, "1"), "new"), allow); });
    threads.emplace_back([&] { store->undefine(uuidNumber(2), allow); });
    threads.emplace_back([&] { store->define(definitionOf(3, "3"), allow); });
    meet();
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(stateOf(*store), bench.stateAfterStart());
    EXPECT_EQ(2U, store->all().size());
}

TEST_F(SecretStoreWritersTest, ReadersAreNotHeldUpByAWriterAndSeeTheOldState) {
    const StoreState old = stateOf(*store);
    std::atomic<int> looks{0};
    const auto look = [&] {
        // A thread of its own: a lock that the writer holds would let the writer itself through.
        auto reader = std::async(std::launch::async, [&] {
            EXPECT_EQ(old, stateOf(*store));
            EXPECT_EQ(uuidNumber(1), store->get(Usage{UsageType::ceph, "1"})->definition.uuid);
            EXPECT_FALSE(store->hasEphemeral());
            EXPECT_TRUE(store->takeChanges().empty());
        });
        ++looks;
        ASSERT_EQ(std::future_status::ready, reader.wait_for(kPatience));
    };
    for (const auto operation : {Operation::open, Operation::write, Operation::sync,
                                 Operation::link, Operation::rename, Operation::exists})
        faulty.before(operation, "", look);
    faulty.fail(Operation::sync, "/store", EIO);
    // Up to the last step, and all the way back.
    EXPECT_THROW(store->setValue(uuidNumber(1), bytes("new"), allow), Error);
    faulty.clearFaults();
    EXPECT_GT(looks, 5);
}

TEST_F(SecretStoreWritersTest, ANewSecretIsNotSeenBeforeItIsDurable) {
    const auto look = [&] {
        std::thread([&] {
            EXPECT_EQ(2U, store->all().size());
            EXPECT_THROW(static_cast<void>(store->get(uuidNumber(3))), Error);
            EXPECT_THROW(static_cast<void>(store->get(Usage{UsageType::ceph, "3"})), Error);
            EXPECT_THROW(store->define(definitionOf(4, "3"), allow), Error);
        }).join();
    };
    faulty.before(Operation::sync, "/store", look);
    store->define(definitionOf(3, "3"), allow);
    faulty.clearFaults();
    EXPECT_THAT(takeChanges(*store), ElementsAre("defined 3 3"));
}

TEST_F(SecretStoreWritersTest, ASecretIsServedUntilItsRemovalIsDurable) {
    faulty.before(Operation::sync, "/store", [&] {
        std::thread([&] {
            EXPECT_EQ("=old", stateOf(*store, 1).value);
            EXPECT_THROW(store->define(definitionOf(4, "1"), allow), Error);
        }).join();
    });
    store->undefine(uuidNumber(1), allow);
    faulty.clearFaults();
    store->define(definitionOf(4, "1"), allow);
}

TEST_F(SecretStoreWritersTest, TwoWritersOfOneSecretTakeTurns) {
    std::promise<void> isStarted;
    std::atomic<bool> isFirst{true};
    std::thread second;
    faulty.before(Operation::sync, stagedValue(1), [&] {
        if (!isFirst.exchange(false))
            return;
        second = std::thread([&] {
            isStarted.set_value();
            store->setValue(uuidNumber(1), bytes("second"), allow);
        });
        isStarted.get_future().wait();
    });
    store->setValue(uuidNumber(1), bytes("first"), allow);
    second.join();
    EXPECT_EQ("=second", stateOf(*store, 1).value);
    EXPECT_EQ(stateOf(*store), bench.stateAfterStart());
    EXPECT_THAT(takeChanges(*store), ElementsAre("value 1 1", "value 1 1"));
}

TEST_F(SecretStoreWritersTest, OfTwoWhoWantOneUseOneGetsItOnDiskToo) {
    for (int round = 0; round < 50; ++round) {
        StoreBench here;
        const auto contended = here.start();
        std::atomic<int> refused{0};
        std::vector<std::thread> threads;
        for (const int n : {1, 2, 3}) {
            threads.emplace_back([&, n] {
                try {
                    contended->define(definitionOf(n, "wanted"), allow);
                } catch (const Error &) {
                    ++refused;
                }
            });
        }
        for (std::thread &thread : threads)
            thread.join();
        EXPECT_EQ(2, refused);
        EXPECT_EQ(1U, here.names().size());
        EXPECT_EQ(stateOf(*contended), here.stateAfterStart());
    }
}

/// One of the things a client does to one of a few secrets; refusals are part of it.
void changeSomething(SecretStore &store, std::mt19937 &rng) {
    const int n = 1 + static_cast<int>(rng() % 4);
    const SecretDefinition definition = definitionOf(n, std::to_string(n));
    const std::string value = "value " + std::to_string(rng() % 100);
    try {
        switch (rng() % 6) {
        case 0:
            store.define(definition, allow);
            break;
        case 1:
            store.define(ephemeral(described(definition, value)), allow);
            break;
        case 2:
            store.setValue(definition.uuid, bytes(value), allow);
            break;
        case 3:
            store.setValue(definition.uuid, {}, allow);
            break;
        case 4:
            store.undefine(definition.uuid, allow);
            break;
        default:
            // A use of another secret, now and then.
            store.define(definitionOf(n + 10, std::to_string(n)), allow);
            break;
        }
    } catch (const Error &) {
        // Refused: not there, or the use is taken.
    }
}

TEST_F(SecretStoreWritersTest, AfterAllKindsOfChangesAndReloadsMemoryDiskAndChangesAgree) {
    constexpr int kThreads = 4;
    constexpr int kRounds = 150;
    std::atomic<bool> isDone{false};
    std::thread reloading([&] {
        while (!isDone)
            store->reload();
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            std::mt19937 rng(static_cast<unsigned>(t));
            for (int round = 0; round < kRounds; ++round)
                changeSomething(*store, rng);
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    isDone = true;
    reloading.join();

    const StoreState live = stateOf(*store);
    StoreState stored;
    for (const auto &[uuid, state] : live) {
        if (state.xml.find("ephemeral='yes'") == std::string::npos)
            stored.emplace(uuid, state);
    }
    EXPECT_EQ(stored, bench.stateAfterStart());
    EXPECT_EQ(live.size() != stored.size(), store->hasEphemeral());
    std::map<Uuid, bool> isThere{{uuidNumber(1), true}, {uuidNumber(2), true}};
    for (const Change &change : store->takeChanges())
        isThere[change.uuid] = change.kind != Change::Kind::undefined;
    for (const auto &[uuid, expected] : isThere)
        EXPECT_EQ(expected, live.contains(uuid)) << uuid.toString();
    for (const std::string &name : bench.names()) {
        EXPECT_EQ(std::string::npos, name.find("keyhold")) << name;
        EXPECT_EQ(std::string::npos, name.find(".aside-")) << name;
    }
}

} // namespace
} // namespace keyhold
