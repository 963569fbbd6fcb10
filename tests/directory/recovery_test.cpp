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
        layout::definitionName(kUuid, layout::Stage::fresh),
        layout::valueName(kUuid, ValueFormat::plain, layout::Stage::fresh),
        layout::definitionName(kUuid, layout::Stage::old),
        layout::valueName(kUuid, ValueFormat::plain, layout::Stage::old)};
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
    bench.put(layout::valueName(uuidNumber(2), ValueFormat::plain, layout::Stage::leaving),
              "of two");
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

TEST_F(RecoveryTest, ADirectoryThatCannotBeListedRaises) {
    const auto backend = bench.openBackend();
    faulty.fail(Operation::list, "", EIO);
    EXPECT_EQ(ErrorCode::systemCall, raisedBy([&] { backend->start(); })->code);
}

} // namespace
} // namespace keyhold
