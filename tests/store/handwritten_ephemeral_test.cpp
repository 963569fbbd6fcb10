// SPDX-License-Identifier: LGPL-2.1-or-later
// An ephemeral secret whose definition somebody has put into the store: what clients make of it
// stays in memory, and the files stay as they are.
#include "store/secret_store.h"

#include "conf/raised.h"
#include "os/faulty_file_system.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class HandwrittenEphemeralTest : public testing::Test {
  protected:
    HandwrittenEphemeralTest() { bench.fileSystem = &faulty; }

    void putXml() { bench.put(xmlName(1), textOf(written)); }
    void putValue() { bench.put(valueName(1), base64("written")); }
    void start() {
        store.reset();
        store = bench.start();
        static_cast<void>(store->takeChanges());
    }
    void define(const SecretDefinition &definition) { store->define(definition, allow); }
    void set(const std::string &value) { store->setValue(uuidNumber(1), bytes(value), allow); }
    [[nodiscard]] std::string value() const { return stateOf(*store, 1).value; }
    [[nodiscard]] std::map<std::string, std::string> files() const {
        std::map<std::string, std::string> out;
        for (const std::string &name : bench.names())
            out.emplace(name, *bench.content(name));
        return out;
    }
    void expectTold() const {
        EXPECT_TRUE(bench.log.mentions(
            "warning: secret '" + uuidNumber(1).toString() +
            "' is ephemeral and has a definition in '/store', which is left as it is"));
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    SecretDefinition written = ephemeral(definitionOf(1, "one"));
    std::unique_ptr<SecretStore> store;
};

TEST_F(HandwrittenEphemeralTest, ADefinitionThatAppearsStoresNoValue) {
    start();
    define(written);
    set("of a client");
    putXml();
    store->reload();
    EXPECT_EQ(value(), "=of a client");
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
    expectTold();
    store->reload();
    EXPECT_EQ(value(), "=of a client");
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
    start();
    EXPECT_EQ(value(), "none");
}

TEST_F(HandwrittenEphemeralTest, WhatClientsChangeStaysInMemory) {
    for (const bool hasValue : {false, true}) {
        putXml();
        if (hasValue)
            putValue();
        const auto before = files();
        start();
        expectTold();
        define(described(written, "of a client"));
        set("of a client");
        EXPECT_EQ(stateOf(*store, 1).xml, textOf(described(written, "of a client")));
        EXPECT_EQ(value(), "=of a client");
        EXPECT_EQ(files(), before);
        set("");
        EXPECT_EQ(value(), "none");
        EXPECT_EQ(files(), before);
    }
}

TEST_F(HandwrittenEphemeralTest, TheFilesCountAgainAtAReload) {
    putXml();
    putValue();
    start();
    define(described(written, "of a client"));
    set("of a client");
    store->reload();
    EXPECT_EQ(stateOf(*store, 1).xml, textOf(written));
    EXPECT_EQ(value(), "=written");
}

TEST_F(HandwrittenEphemeralTest, AFullDiskKeepsNoClientFromChangingIt) {
    putXml();
    start();
    bench.disk.failFrom(1, ENOSPC);
    define(described(written, "of a client"));
    set("of a client");
    EXPECT_EQ(value(), "=of a client");
}

TEST_F(HandwrittenEphemeralTest, UndefiningRemovesTheFilesSoThatItDoesNotComeBack) {
    putXml();
    putValue();
    start();
    set("of a client");
    store->undefine(uuidNumber(1), allow);
    EXPECT_THAT(bench.names(), IsEmpty());
}

TEST_F(HandwrittenEphemeralTest, ItGoesWithItsFile) {
    putXml();
    start();
    set("of a client");
    bench.remove(xmlName(1));
    bench.put(xmlName(2), textOf(definitionOf(2)));
    store->reload();
    EXPECT_FALSE(store->hasEphemeral());
}

TEST_F(HandwrittenEphemeralTest, BecomesPersistentWithTheValueOfItsFileInPlace) {
    putXml();
    putValue();
    start();
    define(definitionOf(1, "one"));
    EXPECT_EQ(bench.stateAfterStart(), stateOf(*store));
    EXPECT_EQ(value(), "=written");
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1)));
    define(written);
    EXPECT_THAT(bench.names(), IsEmpty());
}

TEST_F(HandwrittenEphemeralTest, BecomesPersistentWithTheValueOfAClient) {
    for (const bool hasValue : {false, true}) {
        putXml();
        if (hasValue)
            putValue();
        start();
        set("of a client");
        define(definitionOf(1, "one"));
        EXPECT_EQ(value(), "=of a client");
        EXPECT_EQ(bench.stateAfterStart(), stateOf(*store));
        EXPECT_EQ(bench.content(valueName(1) + ".aside-1").has_value(), hasValue);
        store->undefine(uuidNumber(1), allow);
    }
}

TEST_F(HandwrittenEphemeralTest, BecomesPersistentWithoutTheValueThatAClientRemoved) {
    putXml();
    putValue();
    start();
    set("");
    define(definitionOf(1, "one"));
    EXPECT_EQ(value(), "none");
    EXPECT_EQ(bench.stateAfterStart(), stateOf(*store));
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
}

TEST_F(HandwrittenEphemeralTest, ADefinitionThatSaysPersistentStoresTheValueOfMemory) {
    putXml();
    start();
    set("of a client");
    bench.put(xmlName(1), textOf(definitionOf(1, "one")));
    store->reload();
    EXPECT_EQ(value(), "=of a client");
    EXPECT_EQ(bench.stateAfterStart(), stateOf(*store));
}

TEST_F(HandwrittenEphemeralTest, ItsValueFileIsSealedWhereAllAre) {
    putXml();
    putValue();
    bench.policy->set(policyWith(1, {}, true));
    start();
    set("of a client");
    store->reencrypt([] { return false; });
    EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1, ValueFormat::jwe)));
    EXPECT_EQ(bench.stateAfterStart().at(uuidNumber(1)).value, "=written");
    EXPECT_EQ(value(), "=of a client");
}

TEST_F(HandwrittenEphemeralTest, NoValueOfAnEphemeralSecretIsStored) {
    const auto barrier = bench.openBarrier();
    const auto value = bytes("value");
    const Raised refused{ErrorCode::internal, "the value of ephemeral secret '" +
                                                  uuidNumber(1).toString() +
                                                  "' is not to be stored"};
    EXPECT_EQ(refused, raisedBy([&] {
                  barrier->create(written, Value::of(ShieldedValue::seal(written.uuid, value)));
              }));
    putXml();
    EXPECT_EQ(refused, raisedBy([&] { barrier->setValue(written, value, {}); }));
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
}

} // namespace
} // namespace keyhold
