// SPDX-License-Identifier: LGPL-2.1-or-later
// Writing values anew beside everything else. A gate in the file system keeps a value in hand for
// as long as a test wants.
#include "store/reencryption_thread.h"

#include "conf/no_memory.h"
#include "seal/jwe.h"
#include "os/faulty_file_system.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace keyhold {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;

/// Holds up the first that comes until it is opened.
class Gate {
  public:
    void pass() {
        if (hasCome_.exchange(true))
            return;
        arrival_.set_value();
        opening_.get_future().wait();
    }
    void awaitArrival() { arrival_.get_future().wait(); }
    void open() { opening_.set_value(); }

  private:
    std::atomic<bool> hasCome_{false};
    std::promise<void> arrival_;
    std::promise<void> opening_;
};

class RenewalThreadTest : public testing::Test {
  protected:
    RenewalThreadTest() {
        bench.fileSystem = &faulty;
        bench.atRest->set(atRestWith(1));
        store = bench.start();
        for (const int n : {1, 2, 3}) {
            store->define(definitionOf(n, std::to_string(n)), allow);
            store->setValue(uuidNumber(n), bytes("value " + std::to_string(n)), allow);
        }
    }

    /// As a reload: the settings first, then the files.
    void takeOver(const std::shared_ptr<const AtRest> &rules) {
        bench.atRest->set(rules);
        store->reload();
    }
    /// Keeps the first value in hand.
    void closeGate() {
        faulty.before(Operation::sync, layout::newValueName(uuidNumber(1), AtRestForm::jwe),
                      [this] { gate.pass(); });
    }
    void awaitRest(const RenewalThread &renewal) {
        for (int seen = changes; renewal.isAtWork(); seen = changes)
            changes.wait(seen);
    }

    /// The number of the key of each value.
    [[nodiscard]] std::vector<int> keys() const {
        std::vector<int> out;
        for (const int n : {1, 2, 3}) {
            const std::string text =
                bench.content(valueName(n, AtRestForm::jwe)).value_or("no file");
            const std::string id = keyIdOfJwe(bytes(text));
            for (std::uint8_t key = 1; key <= 3; ++key) {
                if (atRestWith(key)->keyring().current()->id() == id)
                    out.push_back(key);
            }
        }
        return out;
    }
    [[nodiscard]] std::size_t begun() const {
        const auto lines = bench.journal.lines();
        return static_cast<std::size_t>(std::ranges::count_if(
            lines, [](const std::string &line) { return line.starts_with("info: writing "); }));
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::unique_ptr<SecretStore> store;
    Gate gate;
    std::atomic<int> changes{0}; ///< how often the host was told
    std::function<void()> told = [this] {
        ++changes;
        changes.notify_all();
    };
};

TEST_F(RenewalThreadTest, NobodyWaitsForIt) {
    RenewalThread renewal(*store, bench.journal, told);
    takeOver(atRestWith(2, {1}));
    closeGate();
    renewal.request();
    gate.awaitArrival();
    EXPECT_TRUE(renewal.isAtWork());
    EXPECT_EQ(changes, 1);
    EXPECT_THAT(keys(), ElementsAre(1, 1, 1));
    EXPECT_EQ(stateOf(*store, 1).value, "=value 1") << "reading goes on";
    store->define(definitionOf(4, "four"), allow);

    gate.open();
    awaitRest(renewal);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
    EXPECT_EQ(changes, 2) << "one end for one beginning";
}

TEST_F(RenewalThreadTest, DoesNothingWhereNothingIsOutdated) {
    RenewalThread renewal(*store, bench.journal, told);
    renewal.request();
    EXPECT_FALSE(renewal.isAtWork());
    EXPECT_EQ(changes, 0);
    EXPECT_EQ(begun(), 0U);
}

TEST_F(RenewalThreadTest, TheHostIsToldBeforeTheFirstValueIsTouchedAndAfterTheLast) {
    std::vector<std::vector<int>> seen;
    std::atomic<bool> isOver{false};
    RenewalThread renewal(*store, bench.journal, [&] {
        seen.push_back(keys());
        isOver = seen.size() == 2;
        isOver.notify_all();
    });
    takeOver(atRestWith(2, {1}));
    renewal.request();
    isOver.wait(false);
    EXPECT_THAT(seen, ElementsAre(ElementsAre(1, 1, 1), ElementsAre(2, 2, 2)));
    EXPECT_FALSE(renewal.isAtWork());
}

TEST_F(RenewalThreadTest, WhatIsLeftIsWrittenByTheSettingsOfThen) {
    RenewalThread renewal(*store, bench.journal, told);
    takeOver(atRestWith(2, {1}));
    closeGate();
    renewal.request();
    gate.awaitArrival();
    bench.atRest->set(atRestWith(3, {1, 2}));
    gate.open();
    awaitRest(renewal);
    EXPECT_THAT(keys(), ElementsAre(2, 3, 3));

    store->reload();
    renewal.request();
    awaitRest(renewal);
    EXPECT_THAT(keys(), ElementsAre(3, 3, 3));
}

TEST_F(RenewalThreadTest, ARequestMeanwhileMakesItGoRoundOnceMore) {
    RenewalThread renewal(*store, bench.journal, told);
    takeOver(atRestWith(2, {1}));
    closeGate();
    // It is left over at the first time round.
    faulty.fail(Operation::open, layout::newValueName(uuidNumber(2), AtRestForm::jwe), EIO);
    renewal.request();
    gate.awaitArrival();
    renewal.request();
    renewal.request();
    EXPECT_EQ(begun(), 1U) << "never two at once";
    EXPECT_EQ(changes, 1) << "the host knows";
    gate.open();
    awaitRest(renewal);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
    EXPECT_EQ(begun(), 2U);
    EXPECT_TRUE(bench.journal.mentions("warning: written anew: 2 of 3 values; 1 failed"));
    EXPECT_TRUE(bench.journal.mentions("info: written anew: 1 of 1 values"));
    EXPECT_EQ(changes, 2);
}

TEST_F(RenewalThreadTest, AReloadMeanwhileIsServed) {
    RenewalThread renewal(*store, bench.journal, told);
    takeOver(atRestWith(2, {1}));
    closeGate();
    renewal.request();
    gate.awaitArrival();
    // It waits for the value in hand, as any change of that secret does, and for no other.
    const auto reload = std::async(std::launch::async, [&] {
        takeOver(atRestWith(3, {1, 2}));
        renewal.request();
    });
    gate.open();
    reload.wait();
    awaitRest(renewal);
    EXPECT_THAT(keys(), ElementsAre(3, 3, 3));
    EXPECT_EQ(changes % 2, 0);
}

TEST_F(RenewalThreadTest, StoppingWaitsForTheValueInHandAndLeavesNothingBehind) {
    RenewalThread renewal(*store, bench.journal, told);
    takeOver(atRestWith(2, {1}));
    closeGate();
    renewal.request();
    gate.awaitArrival();
    const auto stop = std::async(std::launch::async, [&] { renewal.stop(); });
    // Time for a stop that does not wait to return; one that waits is not hurried by it.
    EXPECT_EQ(stop.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    gate.open();
    stop.wait();
    EXPECT_FALSE(renewal.isAtWork());
    EXPECT_EQ(changes, 2);
    EXPECT_EQ(keys().front(), 2);
    EXPECT_THAT(bench.names(), Each(testing::Not(testing::HasSubstr("keyhold"))));
    EXPECT_EQ(bench.stateAfterStart(), stateOf(*store));

    const auto before = keys();
    takeOver(atRestWith(3, {1, 2}));
    renewal.request();
    EXPECT_FALSE(renewal.isAtWork());
    EXPECT_EQ(keys(), before) << "a request that comes too late does nothing";
}

TEST_F(RenewalThreadTest, TheHostMayRequestMoreWhileItIsTold) {
    std::atomic<int> calls{0};
    RenewalThread *self = nullptr;
    RenewalThread renewal(*store, bench.journal, [&] {
        self->request();
        ++calls;
        calls.notify_all();
    });
    self = &renewal;
    takeOver(atRestWith(2, {1}));
    renewal.request();
    calls.wait(0);
    calls.wait(1);
    EXPECT_FALSE(renewal.isAtWork());
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
}

TEST_F(RenewalThreadTest, WantOfMemoryEndsNothingAndTheNextRequestGoesOn) {
    RenewalThread renewal(*store, bench.journal, told);
    takeOver(atRestWith(2, {1}));
    {
        const NoMemory none;
        renewal.request();
    }
    EXPECT_FALSE(renewal.isAtWork());
    renewal.request();
    awaitRest(renewal);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
    EXPECT_EQ(changes % 2, 0);
}

} // namespace
} // namespace keyhold
