// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes that failed and could not be taken back: memory and every later start follow the disk.
#include "store/secret_store.h"

#include "os/faulty_file_system.h"
#include "store/backend.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Uuid kUuid = uuidNumber(1);
const std::string kLeaving = layout::valueName(kUuid, ValueFormat::plain, layout::Stage::leaving);

class RollbackFailedTest : public testing::Test {
  protected:
    RollbackFailedTest() {
        bench.fileSystem = &faulty;
        store = bench.start();
    }

    void prepare(const SecretDefinition &definition, const std::string &value = "old") {
        store->define(definition, allow);
        if (!value.empty())
            store->setValue(definition.uuid, bytes(value), allow);
        static_cast<void>(store->takeChanges());
    }

    void failSync(int times = 1) { faulty.fail(Operation::sync, "/store", EIO, times); }

    template <typename Action>
    void expectRollbackFailed(Action action) {
        EXPECT_THROW(action(), RollbackFailedError);
        faulty.clearFaults();
    }

    [[nodiscard]] std::string valueNow() const { return stateOf(*store, 1).value; }

    /// What a start finds is what memory had, persistent secrets only.
    void expectStartAgrees() {
        const StoreState live = stateOf(*store);
        store.reset();
        bench.disk.crashKill();
        store = bench.start();
        EXPECT_EQ(live, stateOf(*store));
        for (const std::string &name : bench.names())
            EXPECT_EQ(std::string::npos, name.find("keyhold")) << name;
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::unique_ptr<SecretStore> store;
};

TEST_F(RollbackFailedTest, ADefinitionThatIsThereIsShown) {
    failSync();
    faulty.fail(Operation::unlink, xmlName(1), EIO);
    expectRollbackFailed([&] { store->define(definitionOf(1, "one"), allow); });
    EXPECT_EQ(textOf(definitionOf(1, "one")), stateOf(*store, 1).xml);
    EXPECT_THAT(takeChanges(*store), ElementsAre("defined 1 one"));
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, ARedefinitionThatIsThereIsShown) {
    prepare(definitionOf(1, "one"));
    failSync();
    faulty.fail(Operation::rename, xmlName(1), EIO, 1, FaultyFileSystem::Effect::none, 1);
    expectRollbackFailed([&] { store->define(described(definitionOf(1, "one"), "new"), allow); });
    EXPECT_EQ((SecretState{textOf(described(definitionOf(1, "one"), "new")), "=old"}),
              stateOf(*store, 1));
    EXPECT_THAT(takeChanges(*store), ElementsAre("defined 1 one"));
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, AChangeOfTypeThatIsThereMovesTheUse) {
    prepare(definitionOf(1, "one"));
    SecretDefinition moved = definitionOf(1, "one");
    moved.usage.type = UsageType::tls;
    failSync(2);
    expectRollbackFailed([&] { store->define(moved, allow); });
    // Taken back in the cache, though nobody knows what the disk has.
    EXPECT_EQ(kUuid, store->get(Usage{UsageType::ceph, "one"})->definition.uuid);
    EXPECT_THROW(static_cast<void>(store->get(Usage{UsageType::tls, "one"})), Error);
    SecretDefinition other = definitionOf(2, "one");
    other.usage.type = UsageType::tls;
    store->define(other, allow);
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, AValueThatIsThereIsServed) {
    prepare(definitionOf(1, "one"));
    failSync();
    faulty.fail(Operation::rename, layout::valueName(kUuid, ValueFormat::plain, layout::Stage::old),
                EIO);
    expectRollbackFailed([&] { store->setValue(kUuid, bytes("new"), allow); });
    EXPECT_EQ("=new", valueNow());
    EXPECT_THAT(takeChanges(*store), ElementsAre("value 1 one"));
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, AValueThatWentIsGone) {
    prepare(definitionOf(1, "one"));
    failSync();
    faulty.fail(Operation::rename,
                layout::valueName(kUuid, ValueFormat::plain, layout::Stage::old) + " -> ", EIO);
    expectRollbackFailed([&] { store->setValue(kUuid, {}, allow); });
    EXPECT_EQ("none", valueNow());
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, AnUndefineThatRemovedTheDefinitionIsOne) {
    prepare(definitionOf(1, "one"));
    failSync();
    faulty.fail(Operation::rename, layout::definitionName(kUuid, layout::Stage::leaving) + " -> ",
                EIO);
    expectRollbackFailed([&] { store->undefine(kUuid, allow); });
    EXPECT_THAT(stateOf(*store), IsEmpty());
    EXPECT_THAT(takeChanges(*store), ElementsAre("undefined 1 one"));
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, AfterSuchAnUndefineANewSecretDoesNotGetTheOldValue) {
    prepare(definitionOf(1, "one"));
    failSync();
    faulty.fail(Operation::rename, layout::definitionName(kUuid, layout::Stage::leaving) + " -> ",
                EIO);
    expectRollbackFailed([&] { store->undefine(kUuid, allow); });
    store->define(definitionOf(1, "one"), allow);
    EXPECT_EQ("none", valueNow());
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, AnUndefineThatLeftTheDefinitionLeavesTheValueToo) {
    prepare(definitionOf(1, "one"));
    faulty.fail(Operation::rename, xmlName(1) + " -> ", EIO);
    faulty.fail(Operation::rename, kLeaving + " -> ", EIO);
    expectRollbackFailed([&] { store->undefine(kUuid, allow); });
    EXPECT_EQ("=old", valueNow());
    EXPECT_THAT(takeChanges(*store), IsEmpty());
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, OnADiskThatBecameReadOnlyAValueIsServedOn) {
    prepare(definitionOf(1, "one"));
    faulty.fail(Operation::rename, "", EROFS, FaultyFileSystem::kAlways,
                FaultyFileSystem::Effect::none, 1);
    EXPECT_THROW(store->undefine(kUuid, allow), RollbackFailedError);
    EXPECT_EQ("=old", valueNow());
    EXPECT_THAT(takeChanges(*store), IsEmpty());
    faulty.clearFaults();
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, AValueThatWasTakenFromSuchASecretDoesNotComeBack) {
    prepare(definitionOf(1, "one"));
    faulty.fail(Operation::rename, xmlName(1) + " -> ", EIO);
    faulty.fail(Operation::rename, kLeaving + " -> ", EIO, 2);
    expectRollbackFailed([&] { store->undefine(kUuid, allow); });
    store->setValue(kUuid, {}, allow);
    EXPECT_EQ("none", valueNow());
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, AnEphemeralSecretThatBecameStoredHasItsValueThere) {
    prepare(ephemeral(definitionOf(1, "one")));
    faulty.fail(Operation::rename, "keyhold-for-", EIO);
    faulty.fail(Operation::rename, xmlName(1) + " -> ", EIO);
    expectRollbackFailed([&] { store->define(definitionOf(1, "one"), allow); });
    EXPECT_EQ((SecretState{textOf(definitionOf(1, "one")), "=old"}), stateOf(*store, 1));
    expectStartAgrees();

    store->setValue(kUuid, {}, allow);
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, AnAwaitedValueOfADefinitionThatMayBeThereIsNotThrownAway) {
    prepare(ephemeral(definitionOf(1, "one")));
    faulty.fail(Operation::sync, "/store", EIO, 1, FaultyFileSystem::Effect::none, 1);
    faulty.fail(Operation::unlink, xmlName(1), EIO);
    expectRollbackFailed([&] { store->define(definitionOf(1, "one"), allow); });
    EXPECT_EQ((SecretState{textOf(definitionOf(1, "one")), "=old"}), stateOf(*store, 1));
    expectStartAgrees();
}

TEST_F(RollbackFailedTest, ASecretThatBecameEphemeralOnDiskOnlyKeepsItsValue) {
    prepare(definitionOf(1, "one"));
    faulty.fail(Operation::rename, xmlName(1) + " -> ", EIO);
    faulty.fail(Operation::rename, kLeaving + " -> ", EIO);
    expectRollbackFailed([&] { store->define(ephemeral(definitionOf(1, "one")), allow); });
    EXPECT_EQ((SecretState{textOf(definitionOf(1, "one")), "=old"}), stateOf(*store, 1));
    EXPECT_FALSE(store->hasEphemeral());
    expectStartAgrees();
}

/// A change of secret 1, cut off by a power loss at every call of it, in many ways. `prepare` makes
/// the store and `expect` looks at the value of secret 1 ("no secret" if there is none) at the next
/// start.
template <typename Prepare, typename Change, typename Expect>
void losePowerDuring(Prepare prepare, Change change, Expect expect) {
    std::mt19937_64 rng(20231124);
    for (std::size_t k = 0; k < 12; ++k) {
        for (int round = 0; round < 40; ++round) {
            StoreBench bench;
            FaultyFileSystem faulty(bench.disk);
            bench.fileSystem = &faulty;
            auto store = prepare(bench, faulty);
            EXPECT_TRUE(bench.log.mentions("cannot sync directory '/store'"));
            bench.disk.dieAfter(k);
            try {
                change(*store);
            } catch (const Error &) {
                // Old or new.
            }
            store.reset();
            bench.disk.crashPowerLoss(rng);
            const StoreState found = bench.stateAfterStart();
            expect(found.contains(kUuid) ? found.at(kUuid).value : "no secret",
                   "after call " + std::to_string(k));
        }
    }
}

void redefine(SecretStore &store) {
    store.define(described(definitionOf(1, "one"), "new"), allow);
}

TEST(FailedSyncTest, AfterACommitIsMadeUpForByTheNextChange) {
    losePowerDuring(
        [](StoreBench &bench, FaultyFileSystem &faulty) {
            auto store = bench.start();
            store->define(ephemeral(definitionOf(1, "one")), allow);
            store->setValue(kUuid, bytes("value"), allow);
            // Its third sync: the definition is durable, the value's public name is not.
            faulty.fail(Operation::sync, "/store", EIO, 1, FaultyFileSystem::Effect::none, 2);
            store->define(definitionOf(1, "one"), allow);
            return store;
        },
        redefine,
        [](const std::string &value, const std::string &when) {
            EXPECT_EQ("=value", value) << when;
        });
}

TEST(FailedSyncTest, AtAStartThatFinishedAChangeIsMadeUpForByTheNextChange) {
    losePowerDuring(
        [](StoreBench &bench, FaultyFileSystem &faulty) {
            const std::string text = textOf(definitionOf(1, "one"));
            bench.put(xmlName(1), text);
            bench.put(layout::awaitingValueName(kUuid, ValueFormat::plain,
                                                layout::hashOfDefinition(text)),
                      base64("value"));
            faulty.fail(Operation::sync, "/store", EIO);
            return bench.start();
        },
        redefine,
        [](const std::string &value, const std::string &when) {
            EXPECT_EQ("=value", value) << when;
        });
}

TEST(FailedSyncTest, AtAStartThatDroppedAChangeIsMadeUpForByTheNextChange) {
    losePowerDuring(
        [](StoreBench &bench, FaultyFileSystem &faulty) {
            bench.put(kLeaving, base64("value of a secret that is gone"));
            faulty.fail(Operation::sync, "/store", EIO);
            return bench.start();
        },
        [](SecretStore &store) { store.define(definitionOf(1, "one"), allow); },
        [](const std::string &value, const std::string &when) {
            EXPECT_THAT(value, testing::AnyOf("no secret", "none")) << when;
        });
}

} // namespace
} // namespace keyhold
