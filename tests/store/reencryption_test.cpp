// SPDX-License-Identifier: LGPL-2.1-or-later
// Re-encrypting stored values when the key or the format of secret.conf has changed.
#include "store/secret_store.h"

#include "conf/raised.h"
#include "os/faulty_file_system.h"
#include "seal/jwe.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

bool never() {
    return false;
}

// "old value" as libvirt writes it: AES-256-CBC under 32 bytes of 1; made with Python's
// `cryptography`.
constexpr const char *kCbc = "AAECAwQFBgcICQoLDA0ODyjfltFY4JUcZ2rdcmXnB6o=";
// The same with one bit changed in the last block, so that it has no padding.
constexpr const char *kMisfit = "AAECAwQFBgcICQoLDA0ODyjfltFY4JUcZ2rdcmXnB6s=";

class ReencryptionTest : public testing::Test {
  protected:
    ReencryptionTest() {
        bench.fileSystem = &faulty;
        bench.policy->set(policyWith(1));
        store = bench.start();
        for (const int n : {1, 2, 3}) {
            store->define(definitionOf(n, std::to_string(n)), allow);
            store->setValue(uuidNumber(n), bytes("value " + std::to_string(n)), allow);
        }
        static_cast<void>(store->takeChanges());
    }

    // As a reload: the settings first, then the files.
    void takeOver(const std::shared_ptr<const SealingPolicy> &rules) {
        bench.policy->set(rules);
        store->reload();
    }

    /// What the file of secret n is sealed with: 1, 2, or 0 if it has no sealed file.
    [[nodiscard]] int keyOf(int n) const {
        const auto text = bench.content(valueName(n, ValueFormat::jwe));
        if (!text)
            return 0;
        const std::string id = keyIdOfJwe(bytes(*text));
        for (const std::uint8_t number : std::initializer_list<std::uint8_t>{1, 2}) {
            if (policyWith(number)->keyring().current()->id() == id)
                return number;
        }
        return -1;
    }
    [[nodiscard]] std::vector<int> keys() const { return {keyOf(1), keyOf(2), keyOf(3)}; }
    [[nodiscard]] std::vector<std::string> values() const {
        std::vector<std::string> all;
        for (const auto &[uuid, state] : stateOf(*store))
            all.push_back(state.value);
        return all;
    }
    [[nodiscard]] bool isTold(const std::string &line) const {
        const auto lines = bench.log.lines();
        return std::ranges::find(lines, line) != lines.end();
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::unique_ptr<SecretStore> store;
};

TEST_F(ReencryptionTest, ValuesUnderAnEarlierKeyAreWrittenWithTheCurrentOne) {
    takeOver(policyWith(2, {1}));
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
    EXPECT_THAT(values(), ElementsAre("=value 1", "=value 2", "=value 3"));
    bench.policy->set(policyWith(2)); // the earlier key is not needed any more
    EXPECT_EQ(bench.stateAfterStart(), stateOf(*store));
}

// The reload opens it to learn that it is under the earlier key, and nothing opens it again.
TEST_F(ReencryptionTest, ARotationReadsEachFileOnce) {
    faulty.clearCounts();
    takeOver(policyWith(2, {1}));
    const auto opened = [&] { return faulty.count(Operation::open); };
    const std::size_t openedByReload = opened();
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
    EXPECT_EQ(opened(), openedByReload + 3) << "the new files";
    for (const int n : {1, 2, 3})
        EXPECT_EQ(faulty.count(Operation::read, valueName(n, ValueFormat::jwe)), 1U);
}

// What changed only just now may have changed since without a trace.
TEST_F(ReencryptionTest, AValueThatChangedJustNowIsReadAgain) {
    std::int64_t now = 0;
    bench.clock = [&] { return now; };
    store = bench.start();
    for (const bool isOld : {false, true}) {
        now = isOld ? std::int64_t{1'000'000'000'000} : 0;
        takeOver(isOld ? policyWith(1, {2}) : policyWith(2, {1}));
        faulty.clearCounts();
        store->reencrypt(never);
        EXPECT_EQ(keyOf(1), isOld ? 1 : 2);
        EXPECT_EQ(faulty.count(Operation::read), isOld ? 0U : 3U);
    }
}

TEST_F(ReencryptionTest, IsNoChangeForClients) {
    takeOver(policyWith(2, {1}));
    store->reencrypt(never);
    EXPECT_THAT(takeChanges(*store), IsEmpty());
}

TEST_F(ReencryptionTest, TellsTheBeginningAndTheEnd) {
    takeOver(policyWith(2, {1}));
    store->reencrypt(never);
    EXPECT_TRUE(
        isTold("notice: re-encrypting 3 stored values, with the key and format of secret.conf"));
    EXPECT_TRUE(isTold("notice: re-encrypted 3 of 3 values"));
}

TEST_F(ReencryptionTest, WritesAndTellsNothingWhereNothingNeedsIt) {
    takeOver(policyWith(1, {2}, true));
    const auto told = bench.log.lines();
    bench.disk.clearTrace();
    store->reencrypt(never);
    EXPECT_EQ(bench.disk.callCount(), 0U);
    EXPECT_EQ(bench.log.lines(), told);
}

TEST_F(ReencryptionTest, OneThatFailsStaysAsItWasAndTheOthersAreWritten) {
    takeOver(policyWith(2, {1}));
    faulty.fail(Operation::sync,
                layout::valueName(uuidNumber(2), ValueFormat::jwe, layout::Stage::fresh), EIO);
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(2, 1, 2));
    EXPECT_THAT(values(), ElementsAre("=value 1", "=value 2", "=value 3"));
    EXPECT_TRUE(bench.log.mentions("error: value of secret '" + uuidNumber(2).toString() +
                                   "' was not re-encrypted: cannot sync file"));
    EXPECT_TRUE(isTold("warning: re-encrypted 2 of 3 values; 1 failed, for the reasons above; a "
                       "reload tries again"));

    store->reload();
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
    EXPECT_TRUE(isTold("notice: re-encrypted 1 of 1 values"));
}

TEST_F(ReencryptionTest, WantOfMemoryForOneHoldsUpNoOther) {
    takeOver(policyWith(2, {1}));
    faulty.before(Operation::open,
                  layout::valueName(uuidNumber(2), ValueFormat::jwe, layout::Stage::fresh),
                  [] { throw std::bad_alloc(); });
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(2, 1, 2));
    EXPECT_TRUE(isTold("error: value of secret '" + uuidNumber(2).toString() +
                       "' was not re-encrypted: no memory"));
    faulty.clearFaults();
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
}

TEST_F(ReencryptionTest, AnotherBackendLearnsFromAReloadWhatIsToBeWritten) {
    takeOver(policyWith(2, {1}));
    store->replaceBackend(bench.openBackend());
    store->reload();
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
}

TEST_F(ReencryptionTest, OneThatCannotBeReadIsLeftAlone) {
    const std::string before = *bench.content(valueName(2, ValueFormat::jwe));
    bench.put(valueName(2, ValueFormat::jwe), before + "x");
    store = bench.start();
    takeOver(policyWith(2, {1}));
    store->reencrypt(never);
    EXPECT_THAT(values(), ElementsAre("=value 1", "unreadable", "=value 3"));
    EXPECT_EQ(bench.content(valueName(2, ValueFormat::jwe)), before + "x");
    EXPECT_EQ(keyOf(1), 2);
    EXPECT_EQ(keyOf(3), 2);
}

TEST_F(ReencryptionTest, WithoutACurrentKeyNothingIsWritten) {
    Keyring keyring;
    keyring.addEarlier(policyWith(1)->keyring().current()->raw());
    takeOver(std::make_shared<const SealingPolicy>(
        std::move(keyring),
        SealingPolicy::Rules{.mustSeal = true, .convertExisting = true, .complaint = "no key"}));
    bench.disk.clearTrace();
    store->reencrypt(never);
    EXPECT_EQ(bench.disk.callCount(), 0U);
    EXPECT_THAT(values(), ElementsAre("=value 1", "=value 2", "=value 3"));
}

TEST_F(ReencryptionTest, StopsBetweenTwoValuesAndGoesOnAtTheNextStart) {
    takeOver(policyWith(2, {1}));
    int asked = 0;
    store->reencrypt([&] { return ++asked > 1; });
    EXPECT_THAT(keys(), UnorderedElementsAre(2, 1, 1));
    EXPECT_TRUE(isTold("notice: re-encrypted 1 of 3 values; the rest follows at the next start"));

    store.reset();
    store = bench.start();
    EXPECT_THAT(values(), ElementsAre("=value 1", "=value 2", "=value 3"));
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
    EXPECT_TRUE(isTold("notice: re-encrypted 2 of 2 values"));
}

TEST_F(ReencryptionTest, AValueThatAClientSetsInBetweenIsTheOneThatStays) {
    takeOver(policyWith(2, {1}));
    // While the first is written, a client sets the two others.
    bool isDone = false;
    faulty.before(Operation::sync, "keyhold-new", [&] {
        if (std::exchange(isDone, true))
            return;
        std::jthread([&] {
            for (const int n : {2, 3})
                store->setValue(uuidNumber(n), bytes("set by a client"), allow);
        }).join();
    });
    store->reencrypt(never);
    EXPECT_TRUE(isDone);
    EXPECT_TRUE(isTold("notice: re-encrypted 1 of 3 values; the others were changed or removed "
                       "since"));
    EXPECT_THAT(values(), ElementsAre("=value 1", "=set by a client", "=set by a client"));
    EXPECT_EQ(bench.stateAfterStart(), stateOf(*store));
    EXPECT_THAT(keys(), ElementsAre(2, 2, 2));
}

TEST_F(ReencryptionTest, OneWhoseUseIsTakenDoesNotCount) {
    bench.put(xmlName(4), textOf(definitionOf(4, "1")));
    bench.put(valueName(4), base64("of another with that use"));
    const auto toSeal = [&] {
        const std::size_t count = store->reencryptableCount();
        store->reencrypt(never);
        return count;
    };
    takeOver(policyWith(2, {1}, true));
    EXPECT_EQ(toSeal(), 3U);
    EXPECT_TRUE(isTold("notice: re-encrypted 3 of 3 values"));
    store.reset();
    store = bench.start();
    EXPECT_EQ(toSeal(), 0U);
    store->undefine(uuidNumber(1), allow);
    store->reload();
    EXPECT_EQ(toSeal(), 1U);
}

TEST_F(ReencryptionTest, OneThatAClientRemovesInBetweenStaysRemoved) {
    takeOver(policyWith(2, {1}));
    bool isDone = false;
    faulty.before(Operation::sync, "keyhold-new", [&] {
        if (std::exchange(isDone, true))
            return;
        std::jthread([&] {
            store->undefine(uuidNumber(2), allow);
            store->define(ephemeral(definitionOf(3, "3")), allow);
        }).join();
    });
    store->reencrypt(never);
    EXPECT_TRUE(isDone);
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1, ValueFormat::jwe)));
    EXPECT_EQ(stateOf(*store, 3).value, "=value 3");
}

TEST_F(ReencryptionTest, ValuesCanBeReadWhileTheyAreWritten) {
    takeOver(policyWith(2, {1}));
    int reads = 0;
    for (const Operation each : {Operation::sync, Operation::rename, Operation::unlink}) {
        faulty.before(each, "", [&] {
            EXPECT_THAT(values(), ElementsAre("=value 1", "=value 2", "=value 3"));
            ++reads;
        });
    }
    store->reencrypt(never);
    EXPECT_GT(reads, 6);
}

TEST_F(ReencryptionTest, WhatLibvirtEncryptedIsWrittenOnlyIfAllOfItOpens) {
    const auto sealing = policyWith(1, {}, true);
    for (const int n : {1, 2})
        bench.put(valueName(n, ValueFormat::aes256cbc), kCbc);
    bench.put(valueName(3, ValueFormat::aes256cbc), kMisfit);
    takeOver(sealing);
    store->reencrypt(never);
    EXPECT_EQ(bench.content(valueName(1, ValueFormat::aes256cbc)), kCbc);
    EXPECT_EQ(bench.content(valueName(2, ValueFormat::aes256cbc)), kCbc);
    EXPECT_TRUE(bench.log.mentions(valueName(3, ValueFormat::aes256cbc) +
                                   "' cannot be opened; put the right key in place, or move "
                                   "that file to another directory, and reload"));
    EXPECT_TRUE(bench.log.mentions("warning: re-encrypted 0 of 2 values"));

    bench.remove(valueName(3, ValueFormat::aes256cbc));
    takeOver(policyWith(1, {}, true));
    store->reencrypt(never);
    EXPECT_THAT(values(), ElementsAre("=old value", "=old value", "=value 3"));
    EXPECT_FALSE(bench.content(valueName(1, ValueFormat::aes256cbc)));
    EXPECT_THAT(keys(), ElementsAre(1, 1, 1));
}

TEST_F(ReencryptionTest, AnOrphanThatLibvirtEncryptedHoldsUpNothing) {
    bench.put(valueName(1, ValueFormat::aes256cbc), kCbc);
    bench.put(valueName(9, ValueFormat::aes256cbc), kMisfit);
    takeOver(policyWith(1, {}, true));
    store->reencrypt(never);
    EXPECT_EQ(stateOf(*store, 1).value, "=old value");
    EXPECT_FALSE(bench.content(valueName(1, ValueFormat::aes256cbc)));
}

TEST_F(ReencryptionTest, FilesThatOnlyLookLikeDefinitionsAreToldByTheReloadAlone) {
    bench.put("foo.xml", "");
    bench.put(valueName(1, ValueFormat::aes256cbc), kCbc);
    takeOver(policyWith(1, {}, true));
    store->reencrypt(never);
    EXPECT_EQ(stateOf(*store, 1).value, "=old value");
    EXPECT_FALSE(bench.content(valueName(1, ValueFormat::aes256cbc)));
    EXPECT_EQ(1, std::ranges::count_if(bench.log.lines(), [](const std::string &line) {
                  return line.ends_with("foo.xml'");
              }));
}

TEST_F(ReencryptionTest, PlainValuesAreSealedOnlyWhenAskedTo) {
    takeOver(policyWith(0, {1}, true));
    store->reencrypt(never);
    EXPECT_EQ(bench.content(valueName(1)), base64("value 1"));
    EXPECT_THAT(keys(), ElementsAre(0, 0, 0));

    takeOver(policyWith(1));
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(0, 0, 0));

    takeOver(policyWith(1, {}, true));
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(1, 1, 1));
    EXPECT_FALSE(bench.content(valueName(1)));
}

TEST_F(ReencryptionTest, AChangeToPlainThatWasInterruptedIsFinished) {
    const auto sealed = bench.content(valueName(1, ValueFormat::jwe));
    bench.put(valueName(1), base64("value 1"));
    takeOver(policyWith(1));
    store->reencrypt(never);
    EXPECT_EQ(keyOf(1), 1)
        << "a sealed file that does not count stays as long as values are sealed";

    takeOver(policyWith(0, {1}, true));
    store->reencrypt(never);
    EXPECT_FALSE(bench.content(valueName(1, ValueFormat::jwe)));
    EXPECT_THAT(values(), ElementsAre("=value 1", "=value 2", "=value 3"));

    bench.put(valueName(1, ValueFormat::jwe), *sealed);
    takeOver(policyWith(0, {1}, true));
    store->reencrypt(never);
    EXPECT_THAT(keys(), ElementsAre(0, 0, 0));
    EXPECT_EQ(stateOf(*store, 1).value, "=value 1");
}

} // namespace
} // namespace keyhold
