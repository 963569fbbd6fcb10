// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/inspection.h"
#include "directory/listing.h"
#include "directory/store_files.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

namespace keyhold {
namespace {

using Kind = StoreFinding::Kind;

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

class Inspect : public testing::Test {
  protected:
    [[nodiscard]] Inspection look(const std::shared_ptr<const SealingPolicy> &policy) const {
        return inspect(StoreDirectory(posixFileSystem(), store.secrets()), *policy);
    }
    std::vector<Kind> kinds() const {
        std::vector<Kind> kinds;
        for (const StoreFinding &finding : look(policyOf(7)).findings)
            kinds.push_back(finding.kind);
        return kinds;
    }

    StoreFiles store;
};

TEST_F(Inspect, CountsByFormAndKey) {
    store.define(1);
    store.addPlain(2, "value");
    store.addSealed(3, "value", 7);
    store.addSealed(4, "value", 7);
    store.addSealed(5, "value", 8);
    const Inspection found = look(policyOf(7));
    EXPECT_EQ(found.secrets, 5u);
    EXPECT_THAT(found.withoutValue, ElementsAre(StoreFiles::uuid(1)));
    EXPECT_EQ(found.plain.size(), 1u);
    EXPECT_THAT(found.sealed, UnorderedElementsAre(Pair(keyIdOf(7), 2u), Pair(keyIdOf(8), 1u)));
    EXPECT_EQ(found.unreadable, 1u);
    EXPECT_EQ(sealedIn(found), 3u);
}

TEST_F(Inspect, AnotherDriverReadsThePlainValueBesideASealedOne) {
    store.addPlain(1, "value");
    store.addSealed(2, "value", 7);
    store.addSealed(3, "value", 7);
    store.put(StoreFiles::nameOf(3, "base64"), "dmFsdWU=");
    const Inspection found = look(policyOf(7));
    EXPECT_EQ(found.unreadable, 0u);
    EXPECT_EQ(found.unreadableByStock, 1u);
}

TEST_F(Inspect, ListsWhatTheRulesWouldChange) {
    store.addPlain(1, "value");
    store.addSealed(2, "value", 7);
    EXPECT_THAT(look(policyOf(0, {7}, {false, true, {}})).reencryptable,
                ElementsAre(StoreFiles::uuid(2)));
    EXPECT_THAT(look(policyOf(7, {}, {true, true, {}})).reencryptable,
                ElementsAre(StoreFiles::uuid(1)));
}

TEST_F(Inspect, AnEmptyStoreIsClean) {
    EXPECT_THAT(look(policyOf(7)).findings, IsEmpty());
}

TEST_F(Inspect, PrivateNamesAreOfInterruptedChanges) {
    store.define(1);
    store.put(StoreFiles::nameOf(1, "jwe.keyhold-for-0123456789abcdef"), "x");
    EXPECT_THAT(kinds(), ElementsAre(Kind::privateName));
}

TEST_F(Inspect, OnlyNumberedNamesOfValuesAreQuarantined) {
    store.define(1);
    store.put(StoreFiles::nameOf(1, "jwe.aside-12"), "x");
    EXPECT_THAT(kinds(), ElementsAre(Kind::quarantinedValue));
    store.put(StoreFiles::nameOf(1, "jwe.aside-"), "x");
    EXPECT_THAT(kinds(), ElementsAre(Kind::quarantinedValue, Kind::unknownName));
}

TEST_F(Inspect, NamesOfCopiesMentionASecret) {
    store.define(1);
    for (const std::string &name :
         {"." + StoreFiles::nameOf(1, "base64.swp"), "#" + StoreFiles::nameOf(1, "base64#"),
          StoreFiles::nameOf(1, "base64~"), std::string("copy-of-") + StoreFiles::nameOf(1, "bak"),
          std::string("foo.base64")}) {
        store.put(name, "x");
        EXPECT_THAT(kinds(), ElementsAre(Kind::unknownName)) << name;
        std::filesystem::remove(store.secrets() + "/" + name);
        EXPECT_THAT(kinds(), IsEmpty());
    }
}

TEST_F(Inspect, FilesThatAreNoneOfASecretsAreNotLookedAt) {
    store.put("README", "x");
    EXPECT_THAT(kinds(), IsEmpty());
}

TEST_F(Inspect, TwoDefinitionsOfOneUse) {
    store.define(1);
    store.put(StoreFiles::nameOf(2, "xml"),
              "<secret><uuid>" + StoreFiles::uuid(2).toString() +
                  "</uuid><usage type='ceph'><name>use 1</name></usage></secret>");
    EXPECT_THAT(kinds(), ElementsAre(Kind::sameUse));
}

TEST_F(Inspect, OfOneUseTheFirstInTheOrderOfTheDirectoryIsLoaded) {
    constexpr int kUses = 12;
    constexpr int kStep = 20;
    for (int n = 1; n <= kUses; ++n) {
        for (const int m : {n, n + kStep, n + 2 * kStep})
            store.put(StoreFiles::nameOf(m, "xml"),
                      "<secret><uuid>" + StoreFiles::uuid(m).toString() +
                          "</uuid><usage type='ceph'><name>use " + std::to_string(n) +
                          "</name></usage></secret>");
    }
    std::vector<std::string> names;
    for (const ListedSecret &secret :
         listStore(StoreDirectory(posixFileSystem(), store.secrets())).secrets)
        names.push_back(secret.uuid.toString() + ".xml");
    const auto found = look(policyOf(7)).findings;
    EXPECT_EQ(found.size(), 2U * kUses);
    for (const StoreFinding &finding : found)
        EXPECT_LT(std::ranges::find(names, finding.other), std::ranges::find(names, finding.file));
}

TEST_F(Inspect, ModesThatLetOthersIn) {
    store.addPlain(1, "value");
    const std::string value = store.secrets() + "/" + StoreFiles::nameOf(1, "base64");
    const std::string definition = store.secrets() + "/" + StoreFiles::nameOf(1, "xml");
    ::chmod(definition.c_str(), 0644);
    EXPECT_THAT(kinds(), IsEmpty()) << "definitions are no secret";
    ::chmod(value.c_str(), 0640);
    EXPECT_THAT(kinds(), ElementsAre(Kind::accessible));
    ::chmod(value.c_str(), 0600);
    ::chmod(store.secrets().c_str(), 0710);
    EXPECT_THAT(kinds(), ElementsAre(Kind::openDirectory));
}

TEST_F(Inspect, WhatIsThereOnceOnlyDoesNotCountBesideAProcess) {
    const StoreFinding gone{.kind = Kind::privateName, .file = "a"};
    const StoreFinding stays{.kind = Kind::orphanedValue, .file = "b"};
    const StoreFinding appears{.kind = Kind::quarantinedValue, .file = "c"};
    EXPECT_THAT(inBoth({gone, stays}, {stays, appears}), ElementsAre(stays));
    store.put(StoreFiles::nameOf(1, "jwe.keyhold-new"), "x");
    const StoreDirectory directory(posixFileSystem(), store.secrets());
    EXPECT_EQ(inspectBeside(directory, SealingPolicy()).findings.size(), 1u);
}

} // namespace
} // namespace keyhold
