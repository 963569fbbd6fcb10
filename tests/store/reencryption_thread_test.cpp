// SPDX-License-Identifier: LGPL-2.1-or-later
// Re-encrypting values beside everything else. A gate in the file system keeps a value in hand for
// as long as a test wants.
#include "store/reencryption_thread.h"

#include "conf/no_memory.h"
#include "os/faulty_file_system.h"
#include "seal/jwe.h"
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

class ReencryptionThreadTest : public testing::Test {
  protected:
    ReencryptionThreadTest() {
        bench.fileSystem = &faulty;
        bench.policy->set(policyWith(1));
        store = bench.start();
        for (const int n : {1, 2, 3}) {
            store->define(definitionOf(n, std::to_string(n)), allow);
            store->setValue(uuidNumber(n), bytes("value " + std::to_string(n)), allow);
        }
    }

    /// As a reload: the settings first, then the files.
    void takeOver(const std::shared_ptr<const SealingPolicy> &rules) {
        bench.policy->set(rules);
        store->reload();
    }
    /// Keeps the first value in hand.
    void closeGate() {
        faulty.before(Operation::sync,
                      layout::valueName(uuidNumber(1), ValueFormat::jwe, layout::Stage::fresh),
                      [this] { gate.pass(); });
    }
    void awaitRest(const ReencryptionThread &reencryption) {
        for (int seen = changes; reencryption.isAtWork(); seen = changes)
            changes.wait(seen);
    }

    /// The number of the key of each value.
    [[nodiscard]] std::vector<int> keys() const {
        std::vector<int> out;
        for (const int n : {1, 2, 3}) {
            const std::string text =
                bench.content(valueName(n, ValueFormat::jwe)).value_or("no file");
            const std::string id = keyIdOfJwe(bytes(text));
            for (std::uint8_t key = 1; key <= 3; ++key) {
                if (policyWith(key)->keyring().current()->id() == id)
                    out.push_back(key);
            }
        }
        return out;
    }
    [[nodiscard]] std::size_t begun() const {
        const auto lines = bench.log.lines();
        return static_cast<std::size_t>(std::ranges::count_if(lines, [](const std::string &line) {
            return line.starts_with("notice: re-encrypting ");
        }));
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::unique_ptr<SecretStore> store;
    Gate gate;
    std::atomic<int> changes{0}; ///< how often libvirt was informed
    std::function<void()> told = [this] {
        ++changes;
        changes.notify_all();
    };
};

TEST_F(ReencryptionThreadTest, NobodyWaitsForIt) {
    ReencryptionThread reencryption(*store, bench.log, told);
    takeOver(policyWith(2, {1}));
    closeGate();
    reencryption.request();
    gate.awaitArrival();
    EXPECT_TRUE(reencryption.isAtWork());
    EXPECT_EQ(changes, 1);
    EXPECT_THAT(keys(), ElementsAre(1, 1, 1));
    EXPECT_EQ(stateOf(*store, 1).value, "=value 1") << "reading goes on";
    store->define(definitionOf(4, "four"), allow);

    gate.open();
    awaitRest(reencryption);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
    EXPECT_EQ(changes, 2) << "one end for one beginning";
}

TEST_F(ReencryptionThreadTest, DoesNothingWhereNothingNeedsIt) {
    ReencryptionThread reencryption(*store, bench.log, told);
    reencryption.request();
    EXPECT_FALSE(reencryption.isAtWork());
    EXPECT_EQ(changes, 0);
    EXPECT_EQ(begun(), 0U);
}

TEST_F(ReencryptionThreadTest, LibvirtIsInformedBeforeTheFirstValueIsTouchedAndAfterTheLast) {
    std::vector<std::vector<int>> seen;
    std::atomic<bool> isOver{false};
    ReencryptionThread reencryption(*store, bench.log, [&] {
        seen.push_back(keys());
        isOver = seen.size() == 2;
        isOver.notify_all();
    });
    takeOver(policyWith(2, {1}));
    reencryption.request();
    isOver.wait(false);
    EXPECT_THAT(seen, ElementsAre(ElementsAre(1, 1, 1), ElementsAre(2, 2, 2)));
    EXPECT_FALSE(reencryption.isAtWork());
}

TEST_F(ReencryptionThreadTest, WhatIsLeftIsWrittenByTheSettingsOfThen) {
    ReencryptionThread reencryption(*store, bench.log, told);
    takeOver(policyWith(2, {1}));
    closeGate();
    reencryption.request();
    gate.awaitArrival();
    bench.policy->set(policyWith(3, {1, 2}));
    gate.open();
    awaitRest(reencryption);
    EXPECT_THAT(keys(), ElementsAre(2, 3, 3));

    store->reload();
    reencryption.request();
    awaitRest(reencryption);
    EXPECT_THAT(keys(), ElementsAre(3, 3, 3));
}

TEST_F(ReencryptionThreadTest, ARequestDuringItMakesItGoRoundOnceMore) {
    ReencryptionThread reencryption(*store, bench.log, told);
    takeOver(policyWith(2, {1}));
    closeGate();
    // It is left over at the first time round.
    faulty.fail(Operation::open,
                layout::valueName(uuidNumber(2), ValueFormat::jwe, layout::Stage::fresh), EIO);
    reencryption.request();
    gate.awaitArrival();
    reencryption.request();
    reencryption.request();
    EXPECT_EQ(begun(), 1U) << "never two at once";
    EXPECT_EQ(changes, 1) << "libvirt knows";
    gate.open();
    awaitRest(reencryption);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
    EXPECT_EQ(begun(), 2U);
    EXPECT_TRUE(bench.log.mentions("warning: re-encrypted 2 of 3 values; 1 failed"));
    EXPECT_TRUE(bench.log.mentions("notice: re-encrypted 1 of 1 values"));
    EXPECT_EQ(changes, 2);
}

TEST_F(ReencryptionThreadTest, AReloadDuringItIsServed) {
    ReencryptionThread reencryption(*store, bench.log, told);
    takeOver(policyWith(2, {1}));
    closeGate();
    reencryption.request();
    gate.awaitArrival();
    // It waits for the value in hand, as any change of that secret does, and for no other.
    const auto reload = std::async(std::launch::async, [&] {
        takeOver(policyWith(3, {1, 2}));
        reencryption.request();
    });
    gate.open();
    reload.wait();
    awaitRest(reencryption);
    EXPECT_THAT(keys(), ElementsAre(3, 3, 3));
    EXPECT_EQ(changes % 2, 0);
}

TEST_F(ReencryptionThreadTest, StoppingWaitsForTheValueInHandAndLeavesNothingBehind) {
    ReencryptionThread reencryption(*store, bench.log, told);
    takeOver(policyWith(2, {1}));
    closeGate();
    reencryption.request();
    gate.awaitArrival();
    const auto stop = std::async(std::launch::async, [&] { reencryption.stop(); });
    // Time for a stop that does not wait to return; one that waits is not hurried by it.
    EXPECT_EQ(stop.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    gate.open();
    stop.wait();
    EXPECT_FALSE(reencryption.isAtWork());
    EXPECT_EQ(changes, 2);
    EXPECT_EQ(keys().front(), 2);
    EXPECT_THAT(bench.names(), Each(testing::Not(testing::HasSubstr("keyhold"))));
    EXPECT_EQ(bench.stateAfterStart(), stateOf(*store));

    const auto before = keys();
    takeOver(policyWith(3, {1, 2}));
    reencryption.request();
    EXPECT_FALSE(reencryption.isAtWork());
    EXPECT_EQ(keys(), before) << "a request that comes too late does nothing";
}

TEST_F(ReencryptionThreadTest, TheHostMayRequestMoreWhileItIsTold) {
    std::atomic<int> calls{0};
    ReencryptionThread *self = nullptr;
    ReencryptionThread reencryption(*store, bench.log, [&] {
        self->request();
        ++calls;
        calls.notify_all();
    });
    self = &reencryption;
    takeOver(policyWith(2, {1}));
    reencryption.request();
    calls.wait(0);
    calls.wait(1);
    EXPECT_FALSE(reencryption.isAtWork());
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
}

TEST_F(ReencryptionThreadTest, WantOfMemoryEndsNothingAndTheNextRequestGoesOn) {
    ReencryptionThread reencryption(*store, bench.log, told);
    takeOver(policyWith(2, {1}));
    {
        const NoMemory none;
        reencryption.request();
    }
    EXPECT_FALSE(reencryption.isAtWork());
    reencryption.request();
    awaitRest(reencryption);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
    EXPECT_EQ(changes % 2, 0);
}

} // namespace
} // namespace keyhold
