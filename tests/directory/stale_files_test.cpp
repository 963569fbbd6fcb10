// SPDX-License-Identifier: LGPL-2.1-or-later
// Private names that cannot be removed: what they keep from being changed, and how long.
#include "directory/recovery_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StaleFileTest : public RecoveryTest {
  protected:
    void SetUp() override {
        auto store = bench.start();
        store->define(definitionOf(1, "one"), allow);
        store->setValue(uuidNumber(1), bytes("value"), allow);
        store->define(definitionOf(2, "two"), allow);
    }

    static std::string setOne(SecretStore &store) {
        const auto raised =
            raisedBy([&] { store.setValue(uuidNumber(1), bytes("changed"), allow); });
        return raised ? raised->text : "done";
    }
};

TEST_F(StaleFileTest, OneThatCannotBeRemovedBlocksItsSecretOnly) {
    const std::string name = layout::valueName(kUuid, ValueFormat::plain, layout::Stage::old);
    bench.put(name, "stale");
    faulty.fail(Operation::unlink, name, EACCES, FaultyFileSystem::kAlways);
    const auto store = bench.start();
    EXPECT_TRUE(bench.log.mentions("cannot unlink '" + bench.path(name) + "': Permission denied"));
    EXPECT_TRUE(bench.log.mentions("secret '" + kUuid.toString() + "'"));

    EXPECT_EQ("=value", stateOf(*store, 1).value);
    const std::string refusal = "cannot unlink '" + bench.path(name) + "'";
    EXPECT_EQ(refusal, setOne(*store));
    EXPECT_EQ(refusal, raisedBy([&] {
                           store->define(described(definitionOf(1, "one"), "x"), allow);
                       })->text);
    EXPECT_EQ(refusal, raisedBy([&] { store->undefine(uuidNumber(1), allow); })->text);
    EXPECT_EQ("=value", stateOf(*store, 1).value);
    store->setValue(uuidNumber(2), bytes("works"), allow);
    store->define(definitionOf(3), allow);

    faulty.clearFaults();
    EXPECT_EQ("done", setOne(*store));
    EXPECT_FALSE(bench.content(name).has_value());
}

TEST_F(StaleFileTest, ALookAtTheValueAloneLeavesIt) {
    const std::string name = layout::valueName(kUuid, ValueFormat::plain, layout::Stage::old);
    bench.put(name, "stale");
    faulty.fail(Operation::unlink, name, EACCES, FaultyFileSystem::kAlways);
    const auto backend = bench.openBackend();
    static_cast<void>(backend->start());
    faulty.clearFaults();
    const ListedSecret secret{kUuid, kAllForms};
    // A re-encryption looks at secrets that somebody else may be changing.
    EXPECT_TRUE(backend->getValue(secret, [](const EncodedValue &) { return true; }));
    EXPECT_TRUE(bench.content(name).has_value());
    EXPECT_TRUE(backend->get(secret, [](const EncodedValue &) { return true; }));
    EXPECT_FALSE(bench.content(name).has_value());
}

TEST_F(StaleFileTest, OneThatSomebodyElseRemovedBlocksNothing) {
    bench.disk.putDirectory(
        bench.path(layout::valueName(kUuid, ValueFormat::plain, layout::Stage::old)));
    const auto store = bench.start();
    EXPECT_EQ("cannot unlink '" +
                  bench.path(layout::valueName(kUuid, ValueFormat::plain, layout::Stage::old)) +
                  "'",
              setOne(*store));
    bench.remove(layout::valueName(kUuid, ValueFormat::plain, layout::Stage::old));
    EXPECT_EQ("done", setOne(*store));
}

TEST_F(StaleFileTest, AValueThatCannotHaveItsNameBackIsReportedAndNotForgotten) {
    bench.remove(valueName(1));
    bench.put(kLeaving, base64("value"));
    faulty.fail(Operation::rename, kLeaving, EROFS, FaultyFileSystem::kAlways);
    const auto store = bench.start();
    const RecordPtr record = store->get(kUuid);
    ASSERT_TRUE(record->value.isUnreadable());
    EXPECT_THAT(record->value.reason().message(), HasSubstr("Read-only file system"));
    EXPECT_NE("done", setOne(*store));
    faulty.clearFaults();
    store->reload();
    EXPECT_EQ("=value", stateOf(*store, 1).value);
    EXPECT_THAT(takeChanges(*store), ElementsAre("value 1 one"));
}

TEST_F(StaleFileTest, AnAwaitedValueIsReconciledOnceItsDefinitionCanBeRead) {
    bench.remove(valueName(1));
    bench.put(awaitingFor(definitionOf(1, "one")), base64("value"));
    faulty.fail(Operation::open, xmlName(1), EIO, 2);
    const auto store = bench.start(); // cannot read the definition either
    store->reload();
    EXPECT_EQ("=value", stateOf(*store, 1).value);
}

TEST_F(StaleFileTest, OneThatStaysAfterAChangeIsToldAndTheChangeHolds) {
    const auto store = bench.start();
    const std::string old = layout::valueName(kUuid, ValueFormat::plain, layout::Stage::old);
    faulty.fail(Operation::unlink, old, EIO);
    EXPECT_EQ("done", setOne(*store));
    EXPECT_TRUE(bench.log.mentions(bench.path(old)));
    EXPECT_TRUE(bench.content(old).has_value());
    EXPECT_EQ("done", setOne(*store));
    EXPECT_FALSE(bench.content(old).has_value());
}

} // namespace
} // namespace keyhold
