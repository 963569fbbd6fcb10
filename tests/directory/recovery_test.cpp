// SPDX-License-Identifier: LGPL-2.1-or-later
// What a start makes of private names that an interrupted process left. What of it is durable, and
// when: recovery_durability_test.cpp; what it cannot remove: stale_files_test.cpp.
#include "directory/recovery_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const Uuid kUuid = uuidNumber(1);
const std::string kLeaving = layout::leavingValueName(kUuid, ValueFormat::plain);
const std::string kLeavingDefinition = layout::leavingDefinitionName(kUuid);

std::string awaitingFor(const SecretDefinition &definition) {
    return layout::awaitingValueName(kUuid, ValueFormat::plain,
                                     layout::hashOfDefinition(textOf(definition)));
}

void redefine(Backend &backend, const SecretDefinition &definition) {
    backend.put(definition.uuid, {.definition = &definition}, Revision(),
                [](auto, const auto &) { return nullptr; });
}

class RecoveryTest : public testing::Test {
  protected:
    RecoveryTest() { bench.fileSystem = &faulty; }

    void putDefinition() { bench.put(xmlName(1), textOf(definitionOf(1))); }

    /// The value file after a start, and that nothing private is left.
    std::string valueAfterStart() {
        bench.openBackend()->start();
        for (const std::string &name : bench.names())
            EXPECT_EQ(std::string::npos, name.find("keyhold")) << name;
        return bench.content(valueName(1)).value_or("no file");
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
};

TEST_F(RecoveryTest, AnAwaitedValueGoesToItsDefinition) {
    putDefinition();
    bench.put(awaitingFor(definitionOf(1)), "new");
    EXPECT_EQ("new", valueAfterStart());
    EXPECT_THAT(bench.log.lines(), ElementsAre("info: finished an interrupted change: '" +
                                               bench.path(awaitingFor(definitionOf(1))) +
                                               "' is now '" + bench.path(valueName(1)) + "'"));
}

TEST_F(RecoveryTest, AnAwaitedValueWithoutADefinitionGoes) {
    bench.put(awaitingFor(definitionOf(1)), "new");
    EXPECT_EQ("no file", valueAfterStart());
}

TEST_F(RecoveryTest, AnAwaitedValueOfAnotherDefinitionGoes) {
    putDefinition();
    bench.put(awaitingFor(described(definitionOf(1), "another")), "new");
    EXPECT_EQ("no file", valueAfterStart());
}

TEST_F(RecoveryTest, AnAwaitedValueDoesNotReplaceAFileThatIsThere) {
    putDefinition();
    bench.put(valueName(1), "newer");
    bench.put(awaitingFor(definitionOf(1)), "new");
    EXPECT_EQ("newer", valueAfterStart());
}

TEST_F(RecoveryTest, OfSeveralAwaitedValuesTheOneOfTheDefinitionStays) {
    putDefinition();
    bench.put(awaitingFor(described(definitionOf(1), "another")), "other");
    bench.put(awaitingFor(definitionOf(1)), "new");
    bench.put(awaitingFor(described(definitionOf(1), "a third")), "third");
    EXPECT_EQ("new", valueAfterStart());
}

TEST_F(RecoveryTest, ALeavingValueReturnsToADefinitionThatStayed) {
    putDefinition();
    bench.put(kLeaving, "old");
    EXPECT_EQ("old", valueAfterStart());
    EXPECT_TRUE(bench.log.mentions("finished an interrupted change"));
}

TEST_F(RecoveryTest, ALeavingValueReturnsToADefinitionThatDoesNotLoad) {
    bench.put(xmlName(1), "garbage");
    bench.put(kLeaving, "old");
    EXPECT_EQ("old", valueAfterStart());
}

TEST_F(RecoveryTest, ALeavingValueGoesWithItsDefinition) {
    bench.put(kLeaving, "old");
    EXPECT_EQ("no file", valueAfterStart());
    EXPECT_THAT(bench.names(), IsEmpty());
}

TEST_F(RecoveryTest, ALeavingValueDoesNotReplaceAFileThatIsThere) {
    putDefinition();
    bench.put(valueName(1), "newer");
    bench.put(kLeaving, "old");
    EXPECT_EQ("newer", valueAfterStart());
}

TEST_F(RecoveryTest, WhatWasBeingWrittenOrReplacedGoesInEverySituation) {
    const std::vector<std::string> privateNames = {
        layout::newDefinitionName(kUuid), layout::newValueName(kUuid, ValueFormat::plain),
        layout::oldDefinitionName(kUuid), layout::oldValueName(kUuid, ValueFormat::plain)};
    for (const std::string &name : privateNames) {
        for (const bool hasDefinition : {false, true}) {
            for (const bool hasValue : {false, true}) {
                StoreBench here;
                if (hasDefinition)
                    here.put(xmlName(1), textOf(definitionOf(1)));
                if (hasValue)
                    here.put(valueName(1), "value");
                const auto before = here.names();
                here.put(name, textOf(described(definitionOf(1), "left")));
                here.openBackend()->start();
                EXPECT_EQ(before, here.names()) << name;
            }
        }
    }
}

TEST_F(RecoveryTest, ALeavingDefinitionTakesItsValuesWithIt) {
    bench.put(valueName(1), "of the definition");
    bench.put(kLeaving, "of the definition too");
    bench.put(kLeavingDefinition, textOf(definitionOf(1)));
    EXPECT_EQ("no file", valueAfterStart());
    EXPECT_THAT(bench.names(), IsEmpty());
    EXPECT_THAT(bench.log.lines(), IsEmpty());
}

TEST_F(RecoveryTest, AValueOfARemovedSecretDoesNotComeToTheDefinitionThatTookItsPlace) {
    bench.put(kLeaving, "of the removed one");
    bench.put(kLeavingDefinition, textOf(definitionOf(1)));
    putDefinition();
    EXPECT_EQ("no file", valueAfterStart());
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1)));
}

TEST_F(RecoveryTest, ALeavingDefinitionStaysAsLongAsAValueDoes) {
    bench.put(kLeaving, "of the removed one");
    bench.put(kLeavingDefinition, textOf(definitionOf(1)));
    putDefinition();
    faulty.fail(Operation::unlink, kLeaving, EIO, FaultyFileSystem::kAlways);
    bench.openBackend()->start();
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), kLeaving, kLeavingDefinition));
    faulty.clearFaults();
    EXPECT_EQ("no file", valueAfterStart());
}

TEST_F(RecoveryTest, NoPowerCutBringsTheValueOfARemovedSecretToTheDefinitionOfATool) {
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

TEST_F(RecoveryTest, AValueGetsItsNameBesideADurableDefinitionOnly) {
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
TEST_F(RecoveryTest, NoPowerCutLeavesAValueWithoutItsDefinition) {
    const SecretDefinition definition = definitionOf(1);
    const auto leave = [&](StoreBench &here) {
        here.put(kLeavingDefinition, textOf(definition));
        here.put(kLeaving, "value");
        const int opened = here.disk.openDirectory("/store");
        ASSERT_EQ(0, here.disk.rename(opened, kLeavingDefinition.c_str(), xmlName(1).c_str()));
    };
    const auto await = [&](StoreBench &here) {
        here.put(layout::newDefinitionName(kUuid), textOf(definition));
        here.put(awaitingFor(definition), "value");
        const int opened = here.disk.openDirectory("/store");
        ASSERT_EQ(0, here.disk.rename(opened, layout::newDefinitionName(kUuid).c_str(),
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

TEST_F(RecoveryTest, AValueKeepsItsPrivateNameUntilItsDefinitionIsDurable) {
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

TEST_F(RecoveryTest, ARemovalThatIsNotDurableYetTakesNoValue) {
    faulty.fail(Operation::sync, "/store", EIO, FaultyFileSystem::kAlways);
    bench.put(kLeaving, "old");
    bench.put(kLeavingDefinition, textOf(definitionOf(1)));
    bench.openBackend()->start();
    EXPECT_THAT(bench.names(), UnorderedElementsAre(kLeaving, kLeavingDefinition));
}

TEST_F(RecoveryTest, ALeavingDefinitionDoesNotTakeAValueThatWasPutThereSince) {
    bench.put(kLeavingDefinition, textOf(definitionOf(1)));
    bench.put(valueName(1), "somebody's");
    EXPECT_EQ("somebody's", valueAfterStart());
    EXPECT_THAT(bench.names(), UnorderedElementsAre(valueName(1)));
}

TEST_F(RecoveryTest, ALeavingDefinitionGoesAloneWhereTheSecretWasDefinedAgain) {
    bench.put(valueName(1), "value");
    bench.put(kLeavingDefinition, textOf(definitionOf(1)));
    putDefinition();
    EXPECT_EQ("value", valueAfterStart());
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1)));
}

TEST_F(RecoveryTest, PrivateNamesOfDifferentSecretsDoNotMix) {
    putDefinition();
    bench.put(layout::leavingValueName(uuidNumber(2), ValueFormat::plain), "of two");
    bench.put(kLeaving, "of one");
    EXPECT_EQ("of one", valueAfterStart());
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1)));
}

TEST_F(RecoveryTest, OtherPeoplesFilesAreNotTouched) {
    const std::string uuid = kUuid.toString();
    const std::vector<std::string> foreign = {uuid + ".xml.new",
                                              uuid + ".base64.new",
                                              uuid + ".base64.orphan",
                                              uuid + ".base64.aside-1",
                                              uuid + ".base64.keyhold-for-0123",
                                              uuid + ".xml.keyhold-new.bak",
                                              uuid + ".jwe",
                                              uuid + ".aes256cbc",
                                              uuid,
                                              "keyhold-new",
                                              "foo.xml.keyhold-new",
                                              "notes",
                                              ".hidden"};
    for (const std::string &name : foreign)
        bench.put(name, "foreign");
    bench.put(valueName(2), "orphan");
    bench.disk.putFile(bench.path("folder") + "/" + kLeaving, "foreign");
    const auto before = bench.names();
    bench.disk.clearTrace();
    bench.openBackend()->start();
    EXPECT_EQ(before, bench.names());
    EXPECT_EQ("foreign", bench.content("folder/" + kLeaving));
    EXPECT_THAT(bench.disk.trace(), ElementsAre("sync /store"));
}

TEST_F(RecoveryTest, AValueThatBelongsToNoSecretIsLoggedAndLeftAlone) {
    bench.put(valueName(1), "orphan");
    putDefinition();
    bench.put(valueName(2), "orphan");
    bench.openBackend()->start();
    EXPECT_THAT(bench.log.lines(), ElementsAre("warning: '" + bench.path(valueName(2)) +
                                               "' belongs to no secret; it is left alone"));
}

TEST_F(RecoveryTest, AStartWithoutPrivateNamesWritesNothing) {
    putDefinition();
    bench.put(valueName(1), base64("value"));
    bench.disk.clearTrace();
    bench.openBackend()->start();
    // What it shows was perhaps not durable when the process before was killed.
    EXPECT_THAT(bench.disk.trace(), ElementsAre("sync /store"));
    EXPECT_THAT(bench.log.lines(), IsEmpty());
}

TEST_F(RecoveryTest, WhatAStartPutRightIsDurable) {
    putDefinition();
    bench.put(kLeaving, "old");
    bench.openBackend()->start();
    EXPECT_TRUE(bench.disk.allSynced("/store"));
    bench.put(layout::newValueName(kUuid, ValueFormat::plain), "x");
    faulty.fail(Operation::sync, "/store", EIO);
    bench.openBackend()->start();
    EXPECT_TRUE(bench.log.mentions("warning: cannot sync directory '/store': Input/output error"));
}

TEST_F(RecoveryTest, AReadOnlyStoreIsServedWithoutAWordAndOwesItsSync) {
    putDefinition();
    faulty.loseDisk(DiskLoss::readOnly);
    const auto backend = bench.openBackend();
    EXPECT_THAT(uuidsOf(backend->start()), ElementsAre(kUuid));
    EXPECT_THAT(bench.log.lines(), IsEmpty());
    // Refused by the change itself.
    EXPECT_EQ((Raised{ErrorCode::fileAccess,
                      "Failed to create file '/store/" + layout::newDefinitionName(kUuid) + "'"}),
              raisedBy([&] { redefine(*backend, definitionOf(1)); }));
    faulty.clearFaults();
    bench.disk.clearTrace();
    redefine(*backend, definitionOf(1));
    EXPECT_EQ("sync /store", bench.disk.trace().front());
}

TEST_F(RecoveryTest, AFileSystemThatCannotSyncDirectoriesIsUsedAndToldOnce) {
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

TEST_F(RecoveryTest, NoChangePassesASyncThatIsNotDoneYet) {
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

TEST_F(RecoveryTest, ADirectoryThatCannotBeListedRaises) {
    const auto backend = bench.openBackend();
    faulty.fail(Operation::list, "", EIO);
    EXPECT_EQ(ErrorCode::systemCall, raisedBy([&] { backend->start(); })->code);
}

} // namespace
} // namespace keyhold
