// SPDX-License-Identifier: LGPL-2.1-or-later
// A start after a power cut, on a disk that does not sync or does no more.
#include "directory/recovery_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using RecoveryDurabilityTest = RecoveryTest;

TEST_F(RecoveryDurabilityTest, NoPowerCutBringsTheValueOfARemovedSecretToTheDefinitionOfATool) {
    std::mt19937_64 rng(20231124);
    for (int round = 0; round < 200; ++round) {
        StoreBench here;
        auto store = here.start();
        store->define(definitionOf(1), allow);
        store->setValue(kUuid, bytes("of the removed one"), allow);
        store->undefine(kUuid, allow);
        store.reset();
        here.disk.crashPowerLoss(rng, {.reorder = false, .leaveGaps = false});
        here.put(xmlName(1), textOf(definitionOf(1)));
        EXPECT_EQ("none", here.stateAfterStart().at(kUuid).value);
        EXPECT_THAT(here.names(), ElementsAre(xmlName(1)));
    }
}

TEST_F(RecoveryDurabilityTest, AValueGetsItsNameBesideADurableDefinitionOnly) {
    for (const std::string &name : {awaitingFor(definitionOf(1)), kLeaving}) {
        putDefinition();
        bench.put(name, "value");
        bench.disk.clearTrace();
        EXPECT_EQ("value", valueAfterStart());
        EXPECT_THAT(bench.disk.trace(),
                    ElementsAre("sync /store",
                                "rename /store/" + name + " -> /store/" + valueName(1),
                                "sync /store"));
        bench.remove(valueName(1));
    }
}

// A removal that was done, and a definition that was written, are each taken for undone if a power
// cut takes the last change of the definition's name away: a value that had its name by then would
// belong to nobody.
TEST_F(RecoveryDurabilityTest, NoPowerCutLeavesAValueWithoutItsDefinition) {
    const SecretDefinition definition = definitionOf(1);
    const auto leave = [&](StoreBench &here) {
        here.put(kLeavingDefinition, textOf(definition));
        here.put(kLeaving, "value");
        const int opened = here.disk.openDirectory("/store");
        ASSERT_EQ(0, here.disk.rename(opened, kLeavingDefinition.c_str(), xmlName(1).c_str()));
    };
    const auto await = [&](StoreBench &here) {
        here.put(layout::definitionName(kUuid, layout::Stage::fresh), textOf(definition));
        here.put(awaitingFor(definition), "value");
        const int opened = here.disk.openDirectory("/store");
        ASSERT_EQ(0, here.disk.rename(opened,
                                      layout::definitionName(kUuid, layout::Stage::fresh).c_str(),
                                      xmlName(1).c_str()));
    };
    std::mt19937_64 rng(20231125);
    for (const auto &prepare : {std::function<void(StoreBench &)>(leave), {await}}) {
        for (unsigned round = 0; round < 400; ++round) {
            StoreBench here;
            prepare(here);
            here.disk.dieAfter(round % 4);
            static_cast<void>(raisedBy([&] { here.openBackend()->start(); }));
            here.disk.crashPowerLoss(rng);
            here.openBackend()->start();
            EXPECT_TRUE(here.content(xmlName(1)) || !here.content(valueName(1))) << round;
        }
    }
}

TEST_F(RecoveryDurabilityTest, AValueKeepsItsPrivateNameUntilItsDefinitionIsDurable) {
    for (const std::string &name : {awaitingFor(definitionOf(1)), kLeaving}) {
        putDefinition();
        bench.put(name, "value");
        faulty.fail(Operation::sync, "/store", EIO, FaultyFileSystem::kAlways);
        bench.openBackend()->start();
        EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), name));
        faulty.clearFaults();
        EXPECT_EQ("value", valueAfterStart());
        bench.remove(valueName(1));
    }
}

TEST_F(RecoveryDurabilityTest, ARemovalThatIsNotDurableYetTakesNoValue) {
    faulty.fail(Operation::sync, "/store", EIO, FaultyFileSystem::kAlways);
    bench.put(kLeaving, "old");
    bench.put(kLeavingDefinition, textOf(definitionOf(1)));
    bench.openBackend()->start();
    EXPECT_THAT(bench.names(), UnorderedElementsAre(kLeaving, kLeavingDefinition));
}

TEST_F(RecoveryDurabilityTest, AStartWithoutPrivateNamesWritesNothing) {
    putDefinition();
    bench.put(valueName(1), base64("value"));
    bench.disk.clearTrace();
    bench.openBackend()->start();
    // What it shows was perhaps not durable when the process before was killed.
    EXPECT_THAT(bench.disk.trace(), ElementsAre("sync /store"));
    EXPECT_THAT(bench.log.lines(), IsEmpty());
}

TEST_F(RecoveryDurabilityTest, WhatAStartPutRightIsDurable) {
    putDefinition();
    bench.put(kLeaving, "old");
    bench.openBackend()->start();
    EXPECT_TRUE(bench.disk.allSynced("/store"));
    bench.put(layout::valueName(kUuid, ValueFormat::plain, layout::Stage::fresh), "x");
    faulty.fail(Operation::sync, "/store", EIO);
    bench.openBackend()->start();
    EXPECT_TRUE(bench.log.mentions("warning: cannot sync directory '/store': Input/output error"));
}

TEST_F(RecoveryDurabilityTest, AReadOnlyStoreIsServedWithoutAWordAndOwesItsSync) {
    putDefinition();
    faulty.loseDisk(DiskLoss::readOnly);
    const auto backend = bench.openBackend();
    EXPECT_THAT(uuidsOf(backend->start()), ElementsAre(kUuid));
    EXPECT_THAT(bench.log.lines(), IsEmpty());
    // Refused by the change itself.
    EXPECT_EQ((Raised{ErrorCode::fileAccess,
                      "Failed to create file '/store/" +
                          layout::definitionName(kUuid, layout::Stage::fresh) + "'"}),
              raisedBy([&] { redefine(*backend, definitionOf(1)); }));
    faulty.clearFaults();
    bench.disk.clearTrace();
    redefine(*backend, definitionOf(1));
    EXPECT_EQ("sync /store", bench.disk.trace().front());
}

TEST_F(RecoveryDurabilityTest, AFileSystemThatCannotSyncDirectoriesIsUsedAndToldOnce) {
    faulty.fail(Operation::sync, "/store", EINVAL, FaultyFileSystem::kAlways);
    const auto barrier = bench.openBarrier();
    barrier->backend().start();
    barrier->backend().start();
    barrier->create(definitionOf(1), Value());
    barrier->setValue(definitionOf(1), bytes("value"), {});
    barrier->erase(kUuid, {});
    EXPECT_THAT(bench.log.lines(),
                ElementsAre("warning: '/store' is on a file system that cannot sync directories: "
                            "what was changed shortly before a power failure may be lost or back "
                            "after it"));
}

TEST_F(RecoveryDurabilityTest, NoChangePassesASyncThatIsNotDoneYet) {
    putDefinition();
    bench.put(xmlName(2), textOf(definitionOf(2)));
    const auto backend = bench.openBackend();
    faulty.fail(Operation::sync, "/store", EIO, 2);
    backend->start();
    // What another writer does while the first is at its sync, which then fails.
    std::vector<std::string> ofOther;
    bool isFirst = true;
    faulty.before(Operation::sync, "/store", [&] {
        if (!std::exchange(isFirst, false))
            return;
        bench.disk.clearTrace();
        EXPECT_NE(std::nullopt,
                  raisedBy([&] { redefine(*backend, described(definitionOf(2), "new")); }));
        ofOther = bench.disk.trace();
    });
    redefine(*backend, described(definitionOf(1), "new"));
    EXPECT_THAT(ofOther, IsEmpty());
}

} // namespace
} // namespace keyhold
