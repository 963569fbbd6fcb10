// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/index.h"

#include "conf/raised.h"
#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

RecordPtr recordOf(const SecretDefinition &definition) {
    return std::make_shared<Record>(definition, Value(), false);
}

SecretDefinition withUsage(int n, UsageType type, const std::string &id) {
    SecretDefinition definition = definitionOf(n);
    definition.usage = {type, id};
    return definition;
}

class IndexTest : public testing::Test {
  protected:
    RecordPtr put(const SecretDefinition &definition) {
        IndexWriter writer(index, definition.uuid);
        writer.reserve(definition);
        RecordPtr record = recordOf(definition);
        writer.publish(record, {Change{Change::Kind::defined, definition.uuid, definition.usage}});
        return record;
    }

    void drop(int n) {
        IndexWriter writer(index, uuidNumber(n));
        writer.withdraw({Change{Change::Kind::undefined, uuidNumber(n), {}}});
    }

    Raised refusal(const SecretDefinition &definition) {
        IndexWriter writer(index, definition.uuid);
        return raisedBy([&] { writer.reserve(definition); })
            .value_or(Raised{ErrorCode::internal, ""});
    }

    static Raised internal(const std::string &text) { return {ErrorCode::internal, text}; }

    [[nodiscard]] std::vector<int> numbers() const {
        std::vector<int> out;
        for (const RecordPtr &record : index.all())
            out.push_back(record->definition.uuid.bytes()[15]);
        return out;
    }

    [[nodiscard]] std::vector<Change::Kind> takeKinds() {
        std::vector<Change::Kind> out;
        for (const Change &change : index.takeChanges())
            out.push_back(change.kind);
        return out;
    }

    Index index;
};

TEST_F(IndexTest, WhatIsPublishedIsFoundByUuidAndByUsage) {
    const RecordPtr one = put(definitionOf(1, "one"));
    const RecordPtr two = put(definitionOf(2));
    EXPECT_EQ(one, index.find(uuidNumber(1)));
    EXPECT_EQ(one, index.find(Usage{UsageType::ceph, "one"}));
    EXPECT_EQ(two, index.find(uuidNumber(2)));
    EXPECT_THAT(index.all(), UnorderedElementsAre(one, two));
}

TEST_F(IndexTest, AUsageIsFoundByTypeAndExactId) {
    put(definitionOf(1, "one"));
    EXPECT_EQ(nullptr, index.find(Usage{UsageType::iscsi, "one"}));
    EXPECT_EQ(nullptr, index.find(Usage{UsageType::ceph, "One"}));
    EXPECT_EQ(nullptr, index.find(Usage{UsageType::ceph, "one "}));
    EXPECT_EQ(nullptr, index.find(Usage{UsageType::ceph, ""}));
    EXPECT_EQ(nullptr, index.find(Usage{static_cast<UsageType>(99), "one"}));
    EXPECT_EQ(nullptr, index.find(Usage{static_cast<UsageType>(-1), "one"}));
}

TEST_F(IndexTest, ASecretWithoutAUseIsNotFoundByOne) {
    put(definitionOf(1));
    EXPECT_EQ(nullptr, index.find(Usage{}));
    EXPECT_EQ(nullptr, index.find(Usage{UsageType::none, "x"}));
}

TEST_F(IndexTest, AnyNumberOfSecretsHasNoUse) {
    put(definitionOf(1));
    put(definitionOf(2));
    put(definitionOf(3));
    EXPECT_THAT(numbers(), UnorderedElementsAre(1, 2, 3));
}

TEST_F(IndexTest, ReadersDoNotSeeAReservation) {
    IndexWriter writer(index, uuidNumber(1));
    writer.reserve(definitionOf(1, "one"));
    EXPECT_EQ(nullptr, index.find(uuidNumber(1)));
    EXPECT_EQ(nullptr, index.find(Usage{UsageType::ceph, "one"}));
    EXPECT_THAT(index.all(), ElementsAre());
    EXPECT_EQ(0U, index.ephemeralCount());
    EXPECT_THAT(takeKinds(), ElementsAre());
}

TEST_F(IndexTest, AReservedUseIsRefusedToOthersLikeAPublishedOne) {
    IndexWriter writer(index, uuidNumber(1));
    writer.reserve(definitionOf(1, "one"));
    const Raised text = internal("a secret with UUID " + uuidNumber(1).toString() +
                                 " already defined for use with one");
    EXPECT_EQ(text, refusal(definitionOf(2, "one")));
    writer.publish(recordOf(definitionOf(1, "one")), {});
    EXPECT_EQ(text, refusal(definitionOf(2, "one")));
}

TEST_F(IndexTest, AReservationThatCameToNothingIsFree) {
    {
        IndexWriter writer(index, uuidNumber(1));
        writer.reserve(definitionOf(1, "one"));
    }
    EXPECT_EQ(internal(""), refusal(definitionOf(2, "one")));
    put(definitionOf(1, "other"));
    put(definitionOf(2, "one"));
    EXPECT_THAT(numbers(), UnorderedElementsAre(1, 2));
}

TEST_F(IndexTest, ARefusedReservationLeavesNothingBehind) {
    put(definitionOf(1, "one"));
    refusal(definitionOf(2, "one"));
    EXPECT_THAT(numbers(), ElementsAre(1));
    drop(1);
    EXPECT_EQ(internal(""), refusal(definitionOf(2, "one")));
}

TEST_F(IndexTest, ASecondReservationReplacesTheFirst) {
    IndexWriter writer(index, uuidNumber(1));
    writer.reserve(definitionOf(1, "one"));
    writer.reserve(definitionOf(1, "uno"));
    EXPECT_EQ(internal(""), refusal(definitionOf(2, "one")));
    EXPECT_NE(internal(""), refusal(definitionOf(2, "uno")));
    writer.publish(recordOf(definitionOf(1, "uno")), {});
    EXPECT_NE(nullptr, index.find(Usage{UsageType::ceph, "uno"}));
}

TEST_F(IndexTest, AnotherIdForADefinedUuidIsRefusedWithStocksText) {
    put(definitionOf(1, "one"));
    const Raised text = internal("a secret with UUID " + uuidNumber(1).toString() +
                                 " is already defined for use with one");
    EXPECT_EQ(text, refusal(definitionOf(1, "other")));
    EXPECT_EQ(text, refusal(definitionOf(1)));
    EXPECT_EQ(text, refusal(withUsage(1, UsageType::tls, "other")));
}

TEST_F(IndexTest, AUseForASecretThatHadNoneIsRefusedWithStocksNull) {
    put(definitionOf(1));
    EXPECT_EQ(internal("a secret with UUID " + uuidNumber(1).toString() +
                       " is already defined for use with (null)"),
              refusal(definitionOf(1, "one")));
}

TEST_F(IndexTest, TheIdIsComparedBeforeThePrivateFlagAndThatBeforeTheUse) {
    SecretDefinition hidden = withUsage(1, UsageType::ceph, "one");
    hidden.isPrivate = true;
    put(hidden);
    put(withUsage(2, UsageType::tls, "one"));
    EXPECT_EQ("a secret with UUID " + uuidNumber(1).toString() +
                  " is already defined for use with one",
              refusal(definitionOf(1, "two")).text);
    EXPECT_EQ("cannot change private flag on existing secret",
              refusal(withUsage(1, UsageType::tls, "one")).text);
}

TEST_F(IndexTest, PrivateDoesNotBecomePublicButPublicBecomesPrivate) {
    SecretDefinition hidden = definitionOf(1, "one");
    hidden.isPrivate = true;
    put(definitionOf(1, "one"));
    put(hidden);
    EXPECT_EQ(internal("cannot change private flag on existing secret"),
              refusal(definitionOf(1, "one")));
    EXPECT_TRUE(index.find(uuidNumber(1))->definition.isPrivate);
}

TEST_F(IndexTest, AnotherTypeWithTheSameIdMovesTheUse) {
    put(withUsage(1, UsageType::ceph, "one"));
    const RecordPtr moved = put(withUsage(1, UsageType::tls, "one"));
    EXPECT_EQ(nullptr, index.find(Usage{UsageType::ceph, "one"}));
    EXPECT_EQ(moved, index.find(Usage{UsageType::tls, "one"}));
    put(withUsage(2, UsageType::ceph, "one"));
    EXPECT_THAT(numbers(), UnorderedElementsAre(1, 2));
}

TEST_F(IndexTest, UntilAChangeOfTypeIsPublishedBothUsesAreTaken) {
    const RecordPtr old = put(withUsage(1, UsageType::ceph, "one"));
    {
        IndexWriter writer(index, uuidNumber(1));
        writer.reserve(withUsage(1, UsageType::tls, "one"));
        EXPECT_EQ(old, index.find(Usage{UsageType::ceph, "one"}));
        EXPECT_EQ(nullptr, index.find(Usage{UsageType::tls, "one"}));
        EXPECT_NE("", refusal(withUsage(2, UsageType::ceph, "one")).text);
        EXPECT_NE("", refusal(withUsage(2, UsageType::tls, "one")).text);
    }
    EXPECT_EQ(old, index.find(Usage{UsageType::ceph, "one"}));
    EXPECT_EQ("", refusal(withUsage(2, UsageType::tls, "one")).text);
}

TEST_F(IndexTest, AChangeOfTypeOntoAUseOfAnotherSecretIsRefused) {
    put(withUsage(1, UsageType::ceph, "one"));
    put(withUsage(2, UsageType::tls, "one"));
    EXPECT_EQ(internal("a secret with UUID " + uuidNumber(2).toString() +
                       " already defined for use with one"),
              refusal(withUsage(1, UsageType::tls, "one")));
    EXPECT_EQ(UsageType::ceph, index.find(uuidNumber(1))->definition.usage.type);
}

TEST_F(IndexTest, AWithdrawnSecretIsGoneWithItsUse) {
    put(definitionOf(1, "one"));
    drop(1);
    EXPECT_EQ(nullptr, index.find(uuidNumber(1)));
    EXPECT_EQ(nullptr, index.find(Usage{UsageType::ceph, "one"}));
    EXPECT_EQ("", refusal(definitionOf(2, "one")).text);
}

TEST_F(IndexTest, WithdrawingDropsTheWritersOwnReservation) {
    put(withUsage(1, UsageType::ceph, "one"));
    {
        IndexWriter writer(index, uuidNumber(1));
        writer.reserve(withUsage(1, UsageType::tls, "one"));
        writer.withdraw({});
        EXPECT_EQ("", refusal(withUsage(2, UsageType::tls, "one")).text);
        EXPECT_EQ("", refusal(withUsage(2, UsageType::ceph, "one")).text);
    }
    EXPECT_THAT(numbers(), ElementsAre());
}

TEST_F(IndexTest, WithdrawingWhatIsNotThereTellsNobody) {
    drop(1);
    EXPECT_THAT(takeKinds(), ElementsAre());
}

TEST_F(IndexTest, AReaderKeepsTheRecordItTook) {
    put(definitionOf(1, "one"));
    const RecordPtr taken = index.find(uuidNumber(1));
    put(described(definitionOf(1, "one"), "new"));
    drop(1);
    EXPECT_EQ("", taken->definition.description);
}

TEST_F(IndexTest, EphemeralSecretsAreCounted) {
    put(ephemeral(definitionOf(1)));
    put(ephemeral(definitionOf(2, "two")));
    put(definitionOf(3));
    EXPECT_EQ(2U, index.ephemeralCount());
    put(ephemeral(described(definitionOf(1), "again")));
    EXPECT_EQ(2U, index.ephemeralCount());
    put(definitionOf(1));
    EXPECT_EQ(1U, index.ephemeralCount());
    put(ephemeral(definitionOf(3)));
    EXPECT_EQ(2U, index.ephemeralCount());
    drop(3);
    drop(2);
    EXPECT_EQ(0U, index.ephemeralCount());
}

TEST_F(IndexTest, ChangesComeInTheOrderOfPublicationAndOnce) {
    using Kind = Change::Kind;
    put(definitionOf(1, "one"));
    put(definitionOf(2));
    {
        IndexWriter writer(index, uuidNumber(1));
        writer.publish(recordOf(definitionOf(1, "one")),
                       {Change{Kind::defined, uuidNumber(1), {}},
                        Change{Kind::valueChanged, uuidNumber(1), {}}});
    }
    drop(2);
    EXPECT_THAT(takeKinds(), ElementsAre(Kind::defined, Kind::defined, Kind::defined,
                                         Kind::valueChanged, Kind::undefined));
    EXPECT_THAT(takeKinds(), ElementsAre());
}

} // namespace
} // namespace keyhold
