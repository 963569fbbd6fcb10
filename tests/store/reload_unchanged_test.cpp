// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that are as they were read last are not opened again; all others are.
#include "store/secret_store.h"

#include "os/faulty_file_system.h"
#include "os/temporary_directory.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Secret 1 for "one" with a value and 2 for "two" without, found by a start.
class ReloadUnchangedTest : public testing::Test {
  protected:
    ReloadUnchangedTest() {
        bench.fileSystem = &faulty;
        bench.put(xmlName(1), textOf(definitionOf(1, "one")));
        bench.put(valueName(1), base64("old"));
        bench.put(xmlName(2), textOf(definitionOf(2, "two")));
        store = bench.start();
        faulty.clearCounts();
    }

    /// The changes, and how many files of secret n were opened for them.
    std::vector<std::string> reload(int n, std::size_t opened) {
        faulty.clearCounts();
        store->reload();
        EXPECT_EQ(opened, openedOf(n));
        return takeChanges(*store);
    }
    [[nodiscard]] std::size_t openedOf(int n) const {
        return faulty.count(Operation::open, uuidNumber(n).toString());
    }

    StoreBench bench;
    FaultyFileSystem faulty{bench.disk};
    std::unique_ptr<SecretStore> store;
};

TEST_F(ReloadUnchangedTest, NothingIsOpenedWhereNothingChanged) {
    for (int round = 0; round < 2; ++round) {
        faulty.clearCounts();
        store->reload();
        EXPECT_EQ(0U, faulty.count(Operation::open));
        EXPECT_EQ(1U, faulty.count(Operation::list));
        EXPECT_EQ(3U, faulty.count(Operation::statusAt)); // each file once
        EXPECT_THAT(takeChanges(*store), IsEmpty());
    }
}

TEST_F(ReloadUnchangedTest, AFileThatChangedJustNowIsReadUntilItIsOldEnough) {
    // The times of this disk begin at 0.
    std::int64_t now = 0;
    bench.clock = [&] { return now; };
    store = bench.start();
    EXPECT_THAT(reload(1, 2), IsEmpty());
    now = kRacyTime - 1;
    EXPECT_THAT(reload(1, 2), IsEmpty());
    now = kRacyTime + 1'000'000;
    EXPECT_THAT(reload(1, 2), IsEmpty()) << "the reading before says nothing yet";
    EXPECT_THAT(reload(1, 0), IsEmpty());
}

TEST_F(ReloadUnchangedTest, OfChangedFilesOnlyTheirSecretIsRead) {
    bench.put(valueName(1), base64("new"));
    EXPECT_THAT(reload(1, 2), ElementsAre("value 1 one"));
    EXPECT_EQ(0U, openedOf(2));
    EXPECT_EQ("=new", stateOf(*store, 1).value);
    EXPECT_THAT(reload(1, 0), IsEmpty());
}

TEST_F(ReloadUnchangedTest, AFileWithTheSameContentIsReadOnceMoreOnly) {
    const RecordPtr before = store->get(uuidNumber(1));
    bench.put(xmlName(1), textOf(definitionOf(1, "one")));
    EXPECT_THAT(reload(1, 2), IsEmpty());
    EXPECT_THAT(reload(1, 0), IsEmpty());
    EXPECT_EQ(before, store->get(uuidNumber(1)));
}

TEST_F(ReloadUnchangedTest, AValueThatComesOrGoesIsSeen) {
    bench.put(valueName(2), base64("came"));
    bench.remove(valueName(1));
    store->reload();
    EXPECT_THAT(takeChanges(*store), testing::UnorderedElementsAre("value 1 one", "value 2 two"));
    EXPECT_EQ("=came", stateOf(*store, 2).value);
    EXPECT_EQ("none", stateOf(*store, 1).value);
    EXPECT_THAT(reload(2, 0), IsEmpty());
}

TEST_F(ReloadUnchangedTest, WhatAClientWroteIsReadAtTheNextReload) {
    store->setValue(uuidNumber(1), bytes("of a client"), allow);
    store->define(described(definitionOf(2, "two"), "text"), allow);
    static_cast<void>(takeChanges(*store));
    EXPECT_THAT(reload(1, 2), IsEmpty());
    EXPECT_THAT(reload(1, 0), IsEmpty());
    EXPECT_EQ("=of a client", stateOf(*store, 1).value);
    EXPECT_EQ("text", store->get(uuidNumber(2))->definition.description);
}

TEST_F(ReloadUnchangedTest, WhatAClientWritesTakesThePlaceOfWhatOthersWrote) {
    bench.put(valueName(1), base64("of others"));
    store->setValue(uuidNumber(1), bytes("of a client"), allow);
    EXPECT_EQ(base64("of a client"), bench.content(valueName(1)));
    EXPECT_THAT(bench.names(), testing::UnorderedElementsAre(xmlName(1), valueName(1), xmlName(2)));
}

TEST_F(ReloadUnchangedTest, AValueThatCouldNotBeHadIsTriedAgain) {
    bench.put(valueName(2), "damaged");
    EXPECT_THAT(reload(2, 2), ElementsAre("value 2 two"));
    EXPECT_THAT(reload(2, 2), IsEmpty());
}

TEST_F(ReloadUnchangedTest, ADefinitionThatCouldNotBeTakenOverIsTriedAgain) {
    bench.put(xmlName(2), "garbage");
    EXPECT_THAT(reload(2, 1), IsEmpty());
    EXPECT_THAT(reload(2, 1), IsEmpty());
    bench.put(xmlName(2), textOf(definitionOf(2, "one"))); // is taken
    store->reload();
    EXPECT_THAT(takeChanges(*store), IsEmpty());
    store->undefine(uuidNumber(1), allow);
    EXPECT_EQ("two", store->get(uuidNumber(2))->definition.usage.id);
}

TEST_F(ReloadUnchangedTest, AnUnreadableValueThatKeptItsOldOneIsTriedAgain) {
    bench.put(valueName(1), "damaged");
    for (int round = 0; round < 2; ++round)
        EXPECT_THAT(reload(1, 2), IsEmpty());
    EXPECT_EQ("=old", stateOf(*store, 1).value);
}

TEST_F(ReloadUnchangedTest, SecretsWithValuesOfTwoFormsAreAlwaysRead) {
    bench.put(valueName(1, ValueFormat::jwe), "whatever");
    EXPECT_THAT(reload(1, 2), IsEmpty());
    EXPECT_THAT(reload(1, 2), IsEmpty());
    EXPECT_EQ("=old", stateOf(*store, 1).value);
}

TEST_F(ReloadUnchangedTest, OtherRulesOrKeysMakeAllBeRead) {
    bench.policy->set(policyWith(7));
    EXPECT_THAT(reload(1, 2), IsEmpty());
    EXPECT_THAT(reload(1, 0), IsEmpty());
    bench.policy->set(policyWith(7)); // read again, and the same
    EXPECT_THAT(reload(1, 0), IsEmpty());
    bench.policy->set(policyWith(7, {8}));
    EXPECT_THAT(reload(1, 2), IsEmpty());
    bench.policy->set(policyWith(7, {8}, true));
    EXPECT_THAT(reload(1, 2), IsEmpty());
    store->reencrypt([] { return false; });
    EXPECT_FALSE(bench.content(valueName(1)));
    EXPECT_TRUE(bench.content(valueName(1, ValueFormat::jwe)));
    EXPECT_THAT(reload(1, 4), IsEmpty()); // plain, aes256cbc, jwe, and the definition
    EXPECT_THAT(reload(1, 0), IsEmpty());
}

TEST_F(ReloadUnchangedTest, ARotationFindsTheValuesOfTheEarlierKey) {
    bench.policy->set(policyWith(7));
    store->setValue(uuidNumber(1), bytes("sealed"), allow);
    store->reload();
    bench.policy->set(policyWith(8, {7}));
    const auto before = bench.content(valueName(1, ValueFormat::jwe));
    store->reload();
    store->reencrypt([] { return false; });
    EXPECT_NE(before, bench.content(valueName(1, ValueFormat::jwe)));
    bench.policy->set(policyWith(8));
    EXPECT_EQ("=sealed", stateOf(*bench.start(), 1).value);
}

class ReloadOfRealFilesTest : public testing::Test {
  protected:
    void put(const std::string &name, const std::string &content) {
        std::ofstream(path(name)) << content;
    }
    [[nodiscard]] std::string path(const std::string &name) const {
        return directory.path() + "/" + name;
    }

    TemporaryDirectory directory;
    FaultyFileSystem counting{posixFileSystem()};
    RecordingAdminLog log;
};

TEST_F(ReloadOfRealFilesTest, AFileThatWasWrittenInPlaceWithinATickIsSeen) {
    put(xmlName(1), textOf(definitionOf(1, "one")));
    put(valueName(1), base64("value 0"));
    SecretStore store(std::make_shared<DirectoryBackend>(
                          std::make_unique<StoreDirectory>(counting, directory.path()), log),
                      std::make_shared<CurrentPolicy>(), log);
    store.load();
    for (int n = 1; n < 10; ++n) {
        const std::string value = "value " + std::to_string(n);
        put(valueName(1), base64(value));
        store.reload();
        ASSERT_EQ("=" + value, stateOf(store, 1).value);
    }
}

} // namespace
} // namespace keyhold
