// SPDX-License-Identifier: LGPL-2.1-or-later
// Defining, redefining, undefining and finding secrets; values: secret_store_value_test.cpp.
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
using testing::SizeIs;
using testing::UnorderedElementsAre;

const Uuid kUuid = uuidNumber(1);

SecretDefinition hidden(SecretDefinition definition) {
    definition.isPrivate = true;
    return definition;
}

SecretDefinition withType(UsageType type, SecretDefinition definition) {
    definition.usage.type = type;
    return definition;
}

class SecretStoreTest : public testing::Test {
  protected:
    SecretStoreTest() {
        bench.fileSystem = &faulty;
        store = bench.start();
    }

    RecordPtr define(const SecretDefinition &definition) {
        return store->define(definition, allow);
    }
    void undefine(int n) { store->undefine(uuidNumber(n), allow); }

    /// A refused definition, which changes nothing anywhere.
    Raised refusal(const SecretDefinition &definition) {
        const StoreState before = stateOf(*store);
        const auto names = bench.names();
        static_cast<void>(store->takeChanges());
        const auto raised = raisedBy([&] { define(definition); });
        EXPECT_EQ(before, stateOf(*store));
        EXPECT_EQ(names, bench.names());
        EXPECT_THAT(takeChanges(*store), IsEmpty());
        return raised.value_or(Raised{ErrorCode::internal, "not refused"});
    }

    static Raised internal(const std::string &text) { return {ErrorCode::internal, text}; }

    void restart() {
        store.reset();
        store = bench.start();
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::unique_ptr<SecretStore> store;
};

TEST_F(SecretStoreTest, LookupsThatMissAnswerWithStocksTexts) {
    define(definitionOf(1));
    EXPECT_EQ((Raised{ErrorCode::notFound,
                      "no secret with matching uuid '" + uuidNumber(2).toString() + "'"}),
              raisedBy([&] { static_cast<void>(store->get(uuidNumber(2))); }));
    EXPECT_EQ((Raised{ErrorCode::notFound, "no secret with matching usage 'one'"}), raisedBy([&] {
                  static_cast<void>(store->get(Usage{UsageType::ceph, "one"}));
              }));
    EXPECT_EQ((Raised{ErrorCode::notFound, "no secret with matching usage ''"}),
              raisedBy([&] { static_cast<void>(store->get(Usage{})); }));
}

TEST_F(SecretStoreTest, ADefinedSecretIsFoundStoredAndTold) {
    const RecordPtr defined = define(definitionOf(1, "one"));
    EXPECT_EQ(definitionOf(1, "one"), defined->definition);
    EXPECT_EQ(defined, store->get(kUuid));
    EXPECT_EQ(defined, store->get(Usage{UsageType::ceph, "one"}));
    EXPECT_THAT(store->all(), ElementsAre(defined));
    EXPECT_THAT(bench.names(), ElementsAre(xmlName(1)));
    EXPECT_THAT(takeChanges(*store), ElementsAre("defined 1 one"));
}

TEST_F(SecretStoreTest, ARedefinitionKeepsTheValueAndIsToldEvenIfNothingChanged) {
    define(definitionOf(1, "one"));
    store->setValue(kUuid, bytes("value"), allow);
    static_cast<void>(store->takeChanges());
    for (const auto &next : {definitionOf(1, "one"), described(definitionOf(1, "one"), "text"),
                             definitionOf(1, "one"), hidden(definitionOf(1, "one"))}) {
        define(next);
        EXPECT_EQ((SecretState{textOf(next), "=value"}), stateOf(*store, 1));
        EXPECT_EQ(textOf(next), bench.content(xmlName(1)));
        EXPECT_THAT(takeChanges(*store), ElementsAre("defined 1 one"));
    }
}

TEST_F(SecretStoreTest, ADefinedUuidKeepsItsUse) {
    define(definitionOf(1, "one"));
    define(definitionOf(2));
    const Raised text =
        internal("a secret with UUID " + kUuid.toString() + " is already defined for use with one");
    EXPECT_EQ(text, refusal(definitionOf(1, "other")));
    EXPECT_EQ(text, refusal(definitionOf(1)));
    EXPECT_EQ(text, refusal(ephemeral(definitionOf(1, "other"))));
    EXPECT_EQ(internal("a secret with UUID " + uuidNumber(2).toString() +
                       " is already defined for use with (null)"),
              refusal(definitionOf(2, "two")));
}

TEST_F(SecretStoreTest, AUseHasOneSecret) {
    define(definitionOf(1, "one"));
    const Raised text =
        internal("a secret with UUID " + kUuid.toString() + " already defined for use with one");
    EXPECT_EQ(text, refusal(definitionOf(2, "one")));
    EXPECT_EQ(text, refusal(ephemeral(definitionOf(2, "one"))));
    define(withType(UsageType::volume, definitionOf(2, "one")));
    EXPECT_THAT(store->all(), SizeIs(2));
    undefine(1);
    define(definitionOf(3, "one"));
}

TEST_F(SecretStoreTest, ATypeChangesButNotOntoTheUseOfAnotherSecret) {
    define(definitionOf(1, "one"));
    store->setValue(kUuid, bytes("value"), allow);
    define(withType(UsageType::tls, definitionOf(2, "one")));
    EXPECT_EQ(internal("a secret with UUID " + uuidNumber(2).toString() +
                       " already defined for use with one"),
              refusal(withType(UsageType::tls, definitionOf(1, "one"))));

    define(withType(UsageType::iscsi, definitionOf(1, "one")));
    EXPECT_EQ("=value", stateOf(*store, 1).value);
    EXPECT_EQ(ErrorCode::notFound, raisedBy([&] {
                                       static_cast<void>(store->get(Usage{UsageType::ceph, "one"}));
                                   })->code);
    const StoreState live = stateOf(*store);
    restart();
    EXPECT_EQ(live, stateOf(*store));
}

TEST_F(SecretStoreTest, PrivateDoesNotBecomePublic) {
    define(hidden(definitionOf(1, "one")));
    EXPECT_EQ(internal("cannot change private flag on existing secret"),
              refusal(definitionOf(1, "one")));
}

TEST_F(SecretStoreTest, AFailedDefinitionIsNeitherSeenNorInTheWay) {
    faulty.fail(Operation::open, "keyhold-new", ENOSPC);
    EXPECT_EQ((Raised{ErrorCode::fileAccess,
                      "Failed to create file '" +
                          bench.path(layout::definitionName(kUuid, layout::Stage::fresh)) + "'"}),
              refusal(definitionOf(1, "one")));
    define(definitionOf(2, "one"));
    EXPECT_EQ(internal("a secret with UUID " + uuidNumber(2).toString() +
                       " already defined for use with one"),
              refusal(definitionOf(1, "one")));
    define(definitionOf(1, "uno"));
}

TEST_F(SecretStoreTest, ADefinitionTooLargeToLoadAgainIsRefusedUnlessItIsEphemeral) {
    const std::string text(10'100'000, 'd');
    EXPECT_EQ(ErrorCode::configUnsupported, refusal(described(definitionOf(1), text)).code);
    define(definitionOf(1));
    EXPECT_EQ(ErrorCode::configUnsupported, refusal(described(definitionOf(1), text)).code);
    define(ephemeral(described(definitionOf(2), text)));
}

TEST_F(SecretStoreTest, AnUndefinedSecretIsGone) {
    define(definitionOf(1, "one"));
    store->setValue(kUuid, bytes("value"), allow);
    static_cast<void>(store->takeChanges());
    undefine(1);
    EXPECT_THAT(store->all(), IsEmpty());
    EXPECT_THAT(bench.names(), IsEmpty());
    EXPECT_THAT(takeChanges(*store), ElementsAre("undefined 1 one"));
    const Raised gone{ErrorCode::notFound,
                      "no secret with matching uuid '" + kUuid.toString() + "'"};
    EXPECT_EQ(gone, raisedBy([&] { undefine(1); }));
    EXPECT_EQ(gone, raisedBy([&] { store->setValue(kUuid, bytes("x"), allow); }));
    EXPECT_EQ(gone, raisedBy([&] { static_cast<void>(store->get(kUuid)); }));
    define(definitionOf(1, "other"));
    EXPECT_EQ("none", stateOf(*store, 1).value);
}

TEST_F(SecretStoreTest, AnUndefineThatFailedIsNone) {
    define(definitionOf(1, "one"));
    static_cast<void>(store->takeChanges());
    faulty.fail(Operation::rename, xmlName(1) + " -> ", EROFS);
    EXPECT_EQ((Raised{ErrorCode::systemCall, "cannot unlink '" + bench.path(xmlName(1)) + "'"}),
              raisedBy([&] { undefine(1); }));
    EXPECT_NE(nullptr, store->get(Usage{UsageType::ceph, "one"}));
    EXPECT_THAT(takeChanges(*store), IsEmpty());
}

TEST_F(SecretStoreTest, EphemeralSecretsHaveNoFiles) {
    define(ephemeral(definitionOf(1, "one")));
    store->setValue(kUuid, bytes("value"), allow);
    EXPECT_TRUE(store->hasEphemeral());
    EXPECT_THAT(bench.names(), IsEmpty());
    undefine(1);
    EXPECT_FALSE(store->hasEphemeral());
    EXPECT_THAT(takeChanges(*store),
                ElementsAre("defined 1 one", "value 1 one", "undefined 1 one"));
}

TEST_F(SecretStoreTest, EphemeralBecomesPersistentAndBackWithItsValue) {
    define(ephemeral(definitionOf(1, "one")));
    store->setValue(kUuid, bytes("value"), allow);
    for (int round = 0; round < 2; ++round) {
        define(definitionOf(1, "one"));
        EXPECT_FALSE(store->hasEphemeral());
        EXPECT_EQ("=value", stateOf(*store, 1).value);
        EXPECT_THAT(bench.names(), UnorderedElementsAre(xmlName(1), valueName(1)));
        EXPECT_EQ(stateOf(*store), bench.stateAfterStart());

        define(ephemeral(definitionOf(1, "one")));
        EXPECT_TRUE(store->hasEphemeral());
        EXPECT_EQ("=value", stateOf(*store, 1).value);
        EXPECT_THAT(bench.names(), IsEmpty());
    }
    static_cast<void>(store->takeChanges());
    define(definitionOf(1, "one"));
    EXPECT_THAT(takeChanges(*store), ElementsAre("defined 1 one"));
}

TEST_F(SecretStoreTest, AnEphemeralSecretThatBecomesPersistentAdoptsNoOrphan) {
    bench.put(valueName(1), base64("orphan"));
    define(ephemeral(definitionOf(1, "one")));
    define(definitionOf(1, "one"));
    EXPECT_EQ("none", stateOf(*store, 1).value);
    EXPECT_EQ(stateOf(*store), bench.stateAfterStart());
}

TEST_F(SecretStoreTest, AReadOnlyDiskRefusesWhatWouldNotLast) {
    define(definitionOf(1, "one"));
    store->setValue(kUuid, bytes("value"), allow);
    bench.disk.failFrom(1, EROFS);
    EXPECT_NE("not refused", refusal(ephemeral(definitionOf(1, "one"))).text);
    EXPECT_THROW(store->setValue(kUuid, {}, allow), Error);
    EXPECT_EQ("=value", stateOf(*store, 1).value);
    define(ephemeral(definitionOf(2)));
    store->setValue(uuidNumber(2), bytes("works"), allow);
    undefine(2);
}

TEST_F(SecretStoreTest, ARedefinitionBringsBackFilesThatWereDeletedByHand) {
    define(definitionOf(1, "one"));
    store->setValue(kUuid, bytes("value"), allow);
    bench.remove(xmlName(1));
    bench.remove(valueName(1));
    define(described(definitionOf(1, "one"), "text"));
    EXPECT_EQ("=value", stateOf(*store, 1).value);
    EXPECT_EQ(stateOf(*store), bench.stateAfterStart());
}

TEST_F(SecretStoreTest, ARedefinitionOfADeletedDefinitionAdoptsNoOrphan) {
    define(definitionOf(1, "one"));
    bench.remove(xmlName(1));
    bench.put(valueName(1), base64("orphan"));
    define(described(definitionOf(1, "one"), "text"));
    EXPECT_EQ("none", stateOf(*store, 1).value);
    EXPECT_EQ(stateOf(*store), bench.stateAfterStart());
    EXPECT_EQ(base64("orphan"), bench.content(valueName(1) + ".aside-1"));
}

TEST_F(SecretStoreTest, WhenADeletedSecretCannotBeBroughtBackInFullItIsNotInPart) {
    define(definitionOf(1, "one"));
    store->setValue(kUuid, bytes("value"), allow);
    bench.remove(xmlName(1));
    bench.remove(valueName(1));
    faulty.fail(Operation::open, ".base64.keyhold-", ENOSPC);
    EXPECT_NE("not refused", refusal(described(definitionOf(1, "one"), "text")).text);
    EXPECT_THAT(bench.stateAfterStart(), IsEmpty());
}

TEST_F(SecretStoreTest, AStoreThatCannotBeListedTellsSoAndTakesNoDefinitionsToKeep) {
    bench.put(xmlName(1), textOf(definitionOf(1, "one")));
    faulty.fail(Operation::list, "", EIO);
    restart();
    const Raised failure{ErrorCode::systemCall, "cannot read directory '/store'"};
    EXPECT_EQ(failure, raisedBy([&] { static_cast<void>(store->get(kUuid)); }));
    EXPECT_EQ(failure, raisedBy([&] {
                  static_cast<void>(store->get(Usage{UsageType::ceph, "one"}));
              }));
    EXPECT_EQ(failure, raisedBy([&] { static_cast<void>(store->all()); }));
    EXPECT_EQ(failure, raisedBy([&] { define(definitionOf(1, "other")); }));
    EXPECT_EQ(failure, raisedBy([&] { undefine(1); }));
    EXPECT_EQ(textOf(definitionOf(1, "one")), bench.content(xmlName(1)));

    define(ephemeral(definitionOf(2)));
    EXPECT_EQ(definitionOf(2).uuid, store->get(uuidNumber(2))->definition.uuid);
    store->reload();
    EXPECT_EQ(textOf(definitionOf(1, "one")), stateOf(*store, 1).xml);
    EXPECT_THAT(store->all(), SizeIs(2));
}

} // namespace
} // namespace keyhold
