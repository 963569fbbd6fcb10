// SPDX-License-Identifier: LGPL-2.1-or-later
// What is checked is what is used. The check is called without locks, so it can itself be the other
// client that changes a secret between check and use.
#include "store/secret_store.h"

#include "conf/raised.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Check = SecretStore::AccessCheck;

const Uuid kUuid = uuidNumber(1);

SecretDefinition oneFor(UsageType type) {
    SecretDefinition definition = definitionOf(1, "one");
    definition.usage.type = type;
    return definition;
}

class SecretStoreAccessTest : public testing::Test {
  protected:
    /// Notes what it was asked about, does what other clients do in between (the n-th action at the
    /// n-th question), and refuses definitions of `refusedType`.
    Check check() {
        return [this](const SecretDefinition &definition) {
            asked.push_back(usageWords(definition.usage.type).type);
            if (asked.size() <= inBetween.size())
                inBetween[asked.size() - 1]();
            if (definition.usage.type == refusedType)
                throw Error(ErrorCode::privateValue, "access denied");
        };
    }

    template <typename Action>
    static std::string outcome(Action action) {
        const auto raised = raisedBy(action);
        return raised ? raised->text : "done";
    }

    std::string define(const SecretDefinition &definition) {
        return outcome([&] { store->define(definition, check()); });
    }
    std::string set(const std::string &value) {
        return outcome([&] { store->setValue(kUuid, bytes(value), check()); });
    }
    std::string undefine() {
        return outcome([&] { store->undefine(kUuid, check()); });
    }

    void become(const SecretDefinition &definition) { store->define(definition, allow); }
    std::function<void()> becoming(UsageType type) {
        return [this, type] { become(oneFor(type)); };
    }

    StoreBench bench;
    std::unique_ptr<SecretStore> store = bench.start();
    std::vector<std::string> asked;
    std::vector<std::function<void()>> inBetween;
    UsageType refusedType = UsageType::vtpm;
    const std::string gone = "no secret with matching uuid '" + kUuid.toString() + "'";
};

TEST_F(SecretStoreAccessTest, ADefinitionIsCheckedAsItIsToBe) {
    EXPECT_EQ("done", define(oneFor(UsageType::ceph)));
    EXPECT_EQ("done", define(described(oneFor(UsageType::ceph), "again")));
    EXPECT_THAT(asked, ElementsAre("ceph", "ceph"));
}

TEST_F(SecretStoreAccessTest, AChangeOfTypeIsCheckedOnBothDefinitions) {
    become(oneFor(UsageType::ceph));
    EXPECT_EQ("done", define(oneFor(UsageType::tls)));
    EXPECT_THAT(asked, ElementsAre("tls", "ceph"));
}

TEST_F(SecretStoreAccessTest, WhoMayNotTouchThePresentDefinitionMayNotChangeItsType) {
    become(oneFor(UsageType::vtpm));
    EXPECT_EQ("access denied", define(oneFor(UsageType::tls)));
    EXPECT_EQ(UsageType::vtpm, store->get(kUuid)->definition.usage.type);
    EXPECT_EQ(textOf(oneFor(UsageType::vtpm)), bench.content(xmlName(1)));
}

TEST_F(SecretStoreAccessTest, ARefusedDefinitionChangesNothingAndReservesNothing) {
    EXPECT_EQ("access denied", define(oneFor(UsageType::vtpm)));
    EXPECT_THAT(bench.names(), IsEmpty());
    EXPECT_THAT(takeChanges(*store), IsEmpty());
    EXPECT_EQ("access denied", define(ephemeral(oneFor(UsageType::vtpm))));
    become(oneFor(UsageType::vtpm));
}

TEST_F(SecretStoreAccessTest, ADefinitionThatAppearsDuringTheCheckIsCheckedToo) {
    inBetween = {becoming(UsageType::vtpm)};
    EXPECT_EQ("access denied", define(oneFor(UsageType::tls)));
    EXPECT_THAT(asked, ElementsAre("tls", "vtpm"));
    EXPECT_EQ(UsageType::vtpm, store->get(kUuid)->definition.usage.type);
}

TEST_F(SecretStoreAccessTest, ADefinitionThatChangesDuringItsCheckIsCheckedAgain) {
    become(oneFor(UsageType::ceph));
    inBetween = {[] {}, becoming(UsageType::iscsi), becoming(UsageType::volume)};
    EXPECT_EQ("done", define(oneFor(UsageType::tls)));
    EXPECT_THAT(asked, ElementsAre("tls", "ceph", "iscsi", "volume"));

    asked.clear();
    inBetween = {[] {}, becoming(UsageType::vtpm)};
    EXPECT_EQ("access denied", define(oneFor(UsageType::ceph)));
    EXPECT_THAT(asked, ElementsAre("ceph", "tls", "vtpm"));
}

TEST_F(SecretStoreAccessTest, ADefinitionThatGoesDuringItsCheckNeedsNone) {
    become(oneFor(UsageType::ceph));
    inBetween = {[] {}, [this] { store->undefine(kUuid, allow); }};
    EXPECT_EQ("done", define(oneFor(UsageType::tls)));
    EXPECT_THAT(asked, ElementsAre("tls", "ceph"));
}

TEST_F(SecretStoreAccessTest, ADefinitionThatGetsThePublicTypeDuringTheCheckIsRedefined) {
    inBetween = {becoming(UsageType::tls)};
    EXPECT_EQ("done", define(described(oneFor(UsageType::tls), "mine")));
    EXPECT_THAT(asked, ElementsAre("tls"));
    EXPECT_EQ("mine", store->get(kUuid)->definition.description);
}

TEST_F(SecretStoreAccessTest, AValueIsSetOnTheDefinitionThatWasChecked) {
    become(oneFor(UsageType::ceph));
    inBetween = {becoming(UsageType::iscsi), becoming(UsageType::vtpm)};
    EXPECT_EQ("access denied", set("mine"));
    EXPECT_THAT(asked, ElementsAre("ceph", "iscsi", "vtpm"));
    EXPECT_EQ("none", stateOf(*store, 1).value);
    EXPECT_FALSE(bench.content(valueName(1)).has_value());
}

TEST_F(SecretStoreAccessTest, AChangeThatNoRuleCanSeeNeedsNoSecondCheck) {
    become(oneFor(UsageType::ceph));
    inBetween = {[this] { become(described(oneFor(UsageType::ceph), "text")); }};
    EXPECT_EQ("done", set("mine"));
    EXPECT_THAT(asked, ElementsAre("ceph"));
    EXPECT_EQ((SecretState{textOf(described(oneFor(UsageType::ceph), "text")), "=mine"}),
              stateOf(*store, 1));
}

TEST_F(SecretStoreAccessTest, AFlagThatChangesDuringTheCheckIsCheckedAgain) {
    become(oneFor(UsageType::ceph));
    SecretDefinition hidden = oneFor(UsageType::ceph);
    hidden.isPrivate = true;
    inBetween = {[&] { become(hidden); }, [&] { become(ephemeral(hidden)); }};
    EXPECT_EQ("done", set("mine"));
    EXPECT_THAT(asked, ElementsAre("ceph", "ceph", "ceph"));
    EXPECT_THAT(bench.names(), IsEmpty());
}

TEST_F(SecretStoreAccessTest, AnotherSecretOfTheSameUuidIsCheckedAsWhatItIs) {
    become(oneFor(UsageType::ceph));
    inBetween = {[this] {
        store->undefine(kUuid, allow);
        SecretDefinition other = definitionOf(1, "somebody else's");
        other.usage.type = UsageType::vtpm;
        become(other);
    }};
    EXPECT_EQ("access denied", undefine());
    EXPECT_THAT(asked, ElementsAre("ceph", "vtpm"));
    EXPECT_EQ("somebody else's", store->get(kUuid)->definition.usage.id);
}

TEST_F(SecretStoreAccessTest, ASecretThatGoesDuringTheCheckIsNotFound) {
    for (const bool sets : {true, false}) {
        become(oneFor(UsageType::ceph));
        asked.clear();
        inBetween = {[this] { store->undefine(kUuid, allow); }};
        EXPECT_EQ(gone, sets ? set("mine") : undefine());
        EXPECT_THAT(bench.names(), IsEmpty());
    }
}

TEST_F(SecretStoreAccessTest, ARefusalLeavesValueAndSecret) {
    become(oneFor(UsageType::vtpm));
    store->setValue(kUuid, bytes("value"), allow);
    static_cast<void>(store->takeChanges());
    EXPECT_EQ("access denied", set("mine"));
    EXPECT_EQ("access denied", set(""));
    EXPECT_EQ("access denied", undefine());
    EXPECT_EQ("=value", stateOf(*store, 1).value);
    EXPECT_THAT(takeChanges(*store), IsEmpty());
}

TEST_F(SecretStoreAccessTest, NobodyIsAskedAboutASecretThatIsNotThere) {
    EXPECT_EQ(gone, set("mine"));
    EXPECT_EQ(gone, undefine());
    EXPECT_THAT(asked, IsEmpty());
}

TEST_F(SecretStoreAccessTest, TheCheckMayUseTheStore) {
    become(oneFor(UsageType::ceph));
    inBetween = {[this] {
        store->setValue(kUuid, bytes("theirs"), allow);
        store->define(definitionOf(2), allow);
        store->reload();
        EXPECT_EQ(2U, store->all().size());
    }};
    EXPECT_EQ("done", set("mine"));
    EXPECT_EQ("=mine", stateOf(*store, 1).value);
}

} // namespace
} // namespace keyhold
