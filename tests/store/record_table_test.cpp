// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/record_table.h"

#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

RecordPtr recordOf(int n) {
    return std::make_shared<Record>(definitionOf(n), Value(), false);
}

class RecordTableTest : public testing::Test {
  protected:
    /// What was there before.
    RecordPtr set(RecordTable::Place place, RecordPtr record) {
        auto spare = RecordTable::makeSpare();
        table.exchange(place, record, spare);
        return record;
    }

    RecordTable::Place add(const RecordPtr &record) {
        const RecordTable::Place place = table.take();
        EXPECT_EQ(nullptr, set(place, record));
        return place;
    }

    RecordTable table;
    const RecordPtr one = recordOf(1);
    const RecordPtr two = recordOf(2);
    const RecordPtr three = recordOf(3);
};

TEST_F(RecordTableTest, AnEmptyTableHasNoRecords) {
    EXPECT_THAT(table.snapshot(), IsEmpty());
}

TEST_F(RecordTableTest, ARecordIsWhereItWasPut) {
    const auto first = add(one);
    const auto second = add(two);
    EXPECT_EQ(one, table.at(first));
    EXPECT_EQ(two, table.at(second));
    EXPECT_EQ(one, set(first, three));
    EXPECT_EQ(three, table.at(first));
    EXPECT_THAT(table.snapshot(), UnorderedElementsAre(three, two));
}

TEST_F(RecordTableTest, ATakenPlaceIsEmptyAndNotListed) {
    const auto place = table.take();
    EXPECT_EQ(nullptr, table.at(place));
    add(one);
    EXPECT_THAT(table.snapshot(), ElementsAre(one));
    EXPECT_EQ(1U, table.snapshot().size());
}

TEST_F(RecordTableTest, APlaceThatWasGivenBackIsTakenAgain) {
    const auto place = add(one);
    EXPECT_EQ(one, set(place, nullptr));
    table.giveBack(place);
    EXPECT_THAT(table.snapshot(), IsEmpty());
    EXPECT_EQ(place, table.take());
}

TEST_F(RecordTableTest, NoTwoTakersGetOnePlace) {
    std::set<RecordTable::Place> places;
    for (int n = 0; n < 1000; ++n)
        EXPECT_TRUE(places.insert(add(one)).second);
    EXPECT_EQ(1000U, table.snapshot().size());
    EXPECT_EQ(1000, std::ranges::count(table.snapshot(), one));
}

TEST_F(RecordTableTest, ASnapshotStaysAsItWas) {
    const auto first = add(one);
    add(two);
    const RecordSnapshot before = table.snapshot();
    set(first, three);
    const RecordSnapshot between = table.snapshot();
    set(first, nullptr);
    table.giveBack(first);
    for (int n = 0; n < 100; ++n)
        add(one);

    EXPECT_THAT(before, UnorderedElementsAre(one, two));
    EXPECT_EQ(2U, before.size());
    EXPECT_THAT(between, UnorderedElementsAre(three, two));
    EXPECT_EQ(101U, table.snapshot().size());
}

TEST_F(RecordTableTest, ARecordGoesWithTheLastSnapshotThatHasIt) {
    auto record = recordOf(4);
    const std::weak_ptr<const Record> watched = record;
    const auto place = add(record);
    record.reset();
    {
        const RecordSnapshot snapshot = table.snapshot();
        set(place, one);
        EXPECT_FALSE(watched.expired());
    }
    EXPECT_TRUE(watched.expired());
}

TEST_F(RecordTableTest, ARecordGoesAtOnceWhereThereIsNoSnapshot) {
    auto record = recordOf(4);
    const std::weak_ptr<const Record> watched = record;
    const auto place = add(record);
    record.reset();
    static_cast<void>(table.snapshot());
    set(place, one);
    EXPECT_TRUE(watched.expired());
}

} // namespace
} // namespace keyhold
