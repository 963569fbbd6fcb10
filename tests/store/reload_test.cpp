// SPDX-License-Identifier: LGPL-2.1-or-later
// What SIGHUP makes of files that other people changed. Failures: reload_failure_test.cpp.
#include "store/secret_store.h"

#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// Secret 1 for "one" with the value "old", and 2 for "two" without a value, as a client made them.
class ReloadTest : public testing::Test {
  protected:
    ReloadTest() {
        store = bench.start();
        store->define(definitionOf(1, "one"), allow);
        store->setValue(uuidNumber(1), bytes("old"), allow);
        store->define(definitionOf(2, "two"), allow);
        static_cast<void>(store->takeChanges());
    }

    void putXml(const SecretDefinition &definition) {
        bench.put(layout::definitionName(definition.uuid), textOf(definition));
    }
    void putValue(int n, const std::string &value) { bench.put(valueName(n), base64(value)); }

    std::vector<std::string> reload() {
        store->reload();
        return takeChanges(*store);
    }

    [[nodiscard]] std::string value(int n) const { return stateOf(*store, n).value; }
    [[nodiscard]] SecretDefinition definition(int n) const {
        return store->get(uuidNumber(n))->definition;
    }
    [[nodiscard]] bool has(int n) const { return stateOf(*store).contains(uuidNumber(n)); }

    StoreBench bench;
    std::unique_ptr<SecretStore> store;
};

TEST_F(ReloadTest, NothingNewIsNothingToTell) {
    EXPECT_THAT(reload(), IsEmpty());
    EXPECT_THAT(bench.log.lines(), IsEmpty());
}

TEST_F(ReloadTest, AnUnchangedRecordStaysTheSameObject) {
    const RecordPtr before = store->get(uuidNumber(1));
    store->reload();
    EXPECT_EQ(before, store->get(uuidNumber(1)));
}

TEST_F(ReloadTest, AReloadWritesNothing) {
    putXml(described(definitionOf(1, "one"), "text"));
    bench.remove(xmlName(2));
    bench.disk.clearTrace();
    store->reload();
    EXPECT_THAT(bench.disk.trace(), IsEmpty());
}

TEST_F(ReloadTest, NewFilesAppear) {
    putXml(definitionOf(3, "three"));
    putValue(3, "value");
    putXml(definitionOf(4));
    EXPECT_THAT(reload(), UnorderedElementsAre("defined 3 three", "value 3 three", "defined 4 "));
    EXPECT_EQ("=value", value(3));
    EXPECT_EQ(uuidNumber(3), store->get(Usage{UsageType::ceph, "three"})->definition.uuid);
}

TEST_F(ReloadTest, WhatIsGoneFromTheDirectoryIsDropped) {
    bench.remove(xmlName(1));
    bench.remove(valueName(1));
    EXPECT_THAT(reload(), ElementsAre("undefined 1 one"));
    EXPECT_FALSE(has(1));
    EXPECT_TRUE(has(2));
    store->define(definitionOf(3, "one"), allow);
}

TEST_F(ReloadTest, AValueWhoseDefinitionIsGoneIsReportedAndLeftAlone) {
    bench.remove(xmlName(1));
    EXPECT_THAT(reload(), ElementsAre("undefined 1 one"));
    EXPECT_TRUE(bench.log.mentions("'" + bench.path(valueName(1)) +
                                   "' belongs to no secret; it is left alone"));
    EXPECT_EQ(base64("old"), bench.content(valueName(1)));
    putXml(definitionOf(1, "one")); // by hand again: then it has a definition
    EXPECT_THAT(reload(), ElementsAre("defined 1 one", "value 1 one"));
}

TEST_F(ReloadTest, AChangedValueIsTakenOver) {
    putValue(1, "new");
    EXPECT_THAT(reload(), ElementsAre("value 1 one"));
    EXPECT_EQ("=new", value(1));
}

TEST_F(ReloadTest, AValueAsDeploymentToolsWriteItIsTakenOver) {
    bench.put(valueName(1), base64("a key of ceph") + "\n");
    bench.put(valueName(2), " " + base64("another") + "\r\n");
    EXPECT_THAT(reload(), UnorderedElementsAre("value 1 one", "value 2 two"));
    EXPECT_EQ("=a key of ceph", value(1));
    EXPECT_EQ("=another", value(2));
    EXPECT_EQ(base64("a key of ceph") + "\n", bench.content(valueName(1)));
}

TEST_F(ReloadTest, TheSameValueInAnotherFormIsNoChange) {
    bench.put(valueName(1), base64("old") + "\n");
    EXPECT_THAT(reload(), IsEmpty());
}

TEST_F(ReloadTest, ARemovedValueIsNoLongerServed) {
    bench.remove(valueName(1));
    EXPECT_THAT(reload(), ElementsAre("value 1 one"));
    EXPECT_EQ("none", value(1));
}

TEST_F(ReloadTest, ABlankValueFileRemovesTheValue) {
    bench.put(valueName(1), "\n");
    EXPECT_THAT(reload(), ElementsAre("value 1 one"));
    EXPECT_EQ("none", value(1));
}

TEST_F(ReloadTest, AChangedDescriptionIsTakenOver) {
    putXml(described(definitionOf(1, "one"), "text"));
    EXPECT_THAT(reload(), ElementsAre("defined 1 one"));
    EXPECT_EQ("text", definition(1).description);
    EXPECT_EQ("=old", value(1));
}

TEST_F(ReloadTest, DefinitionAndValueThatChangedTogetherAreToldInThatOrder) {
    putXml(described(definitionOf(1, "one"), "text"));
    putValue(1, "new");
    EXPECT_THAT(reload(), ElementsAre("defined 1 one", "value 1 one"));
}

TEST_F(ReloadTest, AnotherSpellingOfTheSameDefinitionIsNoChange) {
    bench.put(xmlName(1), "<!-- by hand --><secret><uuid>" + uuidNumber(1).toString() +
                              "</uuid><usage type='ceph'><name>one</name></usage></secret>");
    EXPECT_THAT(reload(), IsEmpty());
}

TEST_F(ReloadTest, PublicThatBecamePrivateIsTakenOver) {
    SecretDefinition hidden = definitionOf(1, "one");
    hidden.isPrivate = true;
    putXml(hidden);
    EXPECT_THAT(reload(), ElementsAre("defined 1 one"));
    EXPECT_TRUE(definition(1).isPrivate);
}

TEST_F(ReloadTest, PrivateThatBecamePublicIsRefused) {
    SecretDefinition hidden = definitionOf(1, "one");
    hidden.isPrivate = true;
    store->define(hidden, allow);
    static_cast<void>(store->takeChanges());
    putXml(definitionOf(1, "one"));
    EXPECT_THAT(reload(), IsEmpty());
    EXPECT_TRUE(definition(1).isPrivate);
    EXPECT_THAT(bench.log.lines(),
                ElementsAre("error: Error reading secret: cannot change private flag on existing "
                            "secret"));
}

TEST_F(ReloadTest, AnotherIdIsRefused) {
    putXml(definitionOf(1, "other"));
    EXPECT_THAT(reload(), IsEmpty());
    EXPECT_EQ("one", definition(1).usage.id);
    EXPECT_THAT(bench.log.lines(),
                ElementsAre("error: Error reading secret: a secret with UUID " +
                            uuidNumber(1).toString() + " is already defined for use with one"));
}

TEST_F(ReloadTest, AUseThatIsTakenIsRefused) {
    putXml(definitionOf(3, "one"));
    EXPECT_THAT(reload(), IsEmpty());
    EXPECT_FALSE(has(3));
    EXPECT_THAT(bench.log.lines(),
                ElementsAre("error: Error reading secret: a secret with UUID " +
                            uuidNumber(1).toString() + " already defined for use with one; '" +
                            bench.path(xmlName(1)) + "' counts, and '" + bench.path(xmlName(3)) +
                            "' is not loaded; give it another use or remove it, and reload"));
}

TEST_F(ReloadTest, AChangedTypeIsTakenOverUnlessItsUseIsTaken) {
    SecretDefinition moved = definitionOf(1, "one");
    moved.usage.type = UsageType::tls;
    putXml(moved);
    EXPECT_THAT(reload(), ElementsAre("defined 1 one"));
    EXPECT_EQ(UsageType::tls, definition(1).usage.type);

    SecretDefinition other = definitionOf(3, "one");
    other.usage.type = UsageType::volume;
    store->define(other, allow);
    static_cast<void>(store->takeChanges());
    moved.usage.type = UsageType::volume;
    putXml(moved);
    EXPECT_THAT(reload(), IsEmpty());
    EXPECT_EQ(UsageType::tls, definition(1).usage.type);
}

TEST_F(ReloadTest, AUseMovesFromARemovedFileToANewOne) {
    // Before and after the old file in the order of the directory.
    for (const int n : {0, 3}) {
        const int old = n == 0 ? 1 : 0;
        bench.remove(xmlName(old));
        putXml(definitionOf(n, "one"));
        EXPECT_THAT(reload(), ElementsAre("undefined " + std::to_string(old) + " one",
                                          "defined " + std::to_string(n) + " one"));
    }
    EXPECT_THAT(bench.log.lines(), ElementsAre(testing::HasSubstr("belongs to no secret")));
}

TEST_F(ReloadTest, AUseMovesFromAFileThatChangedItsTypeToANewOne) {
    SecretDefinition moved = definitionOf(1, "one");
    moved.usage.type = UsageType::tls;
    putXml(moved);
    putXml(definitionOf(0, "one")); // first in the order of the directory
    EXPECT_THAT(reload(), UnorderedElementsAre("defined 1 one", "defined 0 one"));
    EXPECT_THAT(bench.log.lines(), IsEmpty());
}

TEST_F(ReloadTest, EphemeralSecretsStay) {
    store->define(ephemeral(definitionOf(3, "three")), allow);
    store->setValue(uuidNumber(3), bytes("value"), allow);
    static_cast<void>(store->takeChanges());
    EXPECT_THAT(reload(), IsEmpty());
    EXPECT_EQ("=value", value(3));
}

TEST_F(ReloadTest, AnEphemeralSecretThatGetsFilesHasWhatTheySay) {
    store->define(ephemeral(definitionOf(3, "three")), allow);
    store->setValue(uuidNumber(3), bytes("of memory"), allow);
    static_cast<void>(store->takeChanges());
    putXml(definitionOf(3, "three"));
    putValue(3, "of the file");
    EXPECT_THAT(reload(), ElementsAre("defined 3 three", "value 3 three"));
    EXPECT_EQ("=of the file", value(3));
    EXPECT_FALSE(store->hasEphemeral());
    EXPECT_EQ(stateOf(*store), bench.stateAfterStart());
}

TEST_F(ReloadTest, AnEphemeralSecretThatGetsADefinitionOnlyKeepsItsValueAndStoresIt) {
    store->define(ephemeral(definitionOf(3, "three")), allow);
    store->setValue(uuidNumber(3), bytes("of memory"), allow);
    static_cast<void>(store->takeChanges());
    putXml(definitionOf(3, "three"));
    EXPECT_THAT(reload(), ElementsAre("defined 3 three"));
    EXPECT_EQ("=of memory", value(3));
    EXPECT_EQ(stateOf(*store), bench.stateAfterStart());
}

TEST_F(ReloadTest, AnEphemeralDefinitionInTheStoreIsLoadedAndGoesWithItsFile) {
    putXml(ephemeral(definitionOf(3, "three")));
    putValue(3, "value");
    EXPECT_THAT(reload(), ElementsAre("defined 3 three", "value 3 three"));
    EXPECT_TRUE(store->hasEphemeral());
    bench.remove(xmlName(3));
    EXPECT_THAT(reload(), ElementsAre("undefined 3 three"));
    EXPECT_FALSE(store->hasEphemeral());
}

TEST_F(ReloadTest, AStoredDefinitionThatBecameEphemeralByHandIsCounted) {
    putXml(ephemeral(definitionOf(1, "one")));
    EXPECT_THAT(reload(), ElementsAre("defined 1 one"));
    EXPECT_TRUE(store->hasEphemeral());
    EXPECT_EQ("=old", value(1));
}

TEST_F(ReloadTest, WhatAClientChangesDuringAReloadStays) {
    for (int round = 0; round < 3; ++round) {
        const std::string text = "round " + std::to_string(round);
        store->define(described(definitionOf(1, "one"), text), allow);
        store->setValue(uuidNumber(1), bytes(text), allow);
        store->reload();
        EXPECT_EQ("=" + text, value(1));
        EXPECT_EQ(text, definition(1).description);
    }
}

} // namespace
} // namespace keyhold
