// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/index.h"

#include "store/store_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyhold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Enough that each table is filled by a thread of its own.
constexpr int kMany = 6000;

RecordPtr recordOf(const SecretDefinition &definition) {
    return std::make_shared<Record>(definition, Value(), true);
}

SecretDefinition numbered(int n) {
    return definitionOf(n, "use " + std::to_string(n));
}

class IndexFillTest : public testing::Test {
  protected:
    static std::vector<RecordPtr> recordsBelow(int count) {
        std::vector<RecordPtr> records;
        for (int n = 0; n < count; ++n)
            records.push_back(recordOf(numbered(n)));
        return records;
    }

    void fill(const std::vector<RecordPtr> &records) {
        index.fill(records, [&](const Uuid &uuid, const Error &error) {
            refused.push_back(uuid.toString() + ": " + error.message());
        });
    }

    void expectEach(const std::vector<RecordPtr> &records) {
        EXPECT_EQ(records.size(), index.all().size());
        for (const RecordPtr &record : records) {
            ASSERT_EQ(record, index.find(record->definition.uuid));
            ASSERT_EQ(record, index.find(record->definition.usage));
        }
    }

    Index index;
    std::vector<std::string> refused;
};

TEST_F(IndexFillTest, FindsEachByUuidAndByUse) {
    for (const int count : {0, 1, kMany}) {
        Index fresh;
        const auto records = recordsBelow(count);
        fresh.fill(records, [](const Uuid &, const Error &error) { FAIL() << error.message(); });
        EXPECT_EQ(records.size(), fresh.all().size());
        for (const RecordPtr &record : records) {
            ASSERT_EQ(record, fresh.find(record->definition.uuid));
            ASSERT_EQ(record, fresh.find(record->definition.usage));
        }
    }
}

TEST_F(IndexFillTest, PassesOverWhatCouldNotBeRead) {
    auto records = recordsBelow(kMany);
    auto withHoles = records;
    withHoles.insert(withHoles.begin() + 7, nullptr);
    withHoles.push_back(nullptr);
    fill(withHoles);
    expectEach(records);
    EXPECT_THAT(refused, IsEmpty());
}

TEST_F(IndexFillTest, OfTwoWithOneUseTheFirstWinsAndTheOtherIsTold) {
    for (const int count : {2, kMany}) {
        Index fresh;
        refused.clear();
        auto records = recordsBelow(count);
        SecretDefinition second = definitionOf(count, "use 1");
        records.push_back(recordOf(second));
        records.push_back(recordOf(ephemeral(numbered(count + 1))));
        fresh.fill(records, [&](const Uuid &uuid, const Error &error) {
            refused.push_back(uuid.toString() + ": " + error.message());
        });
        EXPECT_THAT(refused,
                    ElementsAre(second.uuid.toString() + ": a secret with UUID " +
                                uuidNumber(1).toString() + " already defined for use with use 1"));
        EXPECT_EQ(static_cast<std::size_t>(count) + 1, fresh.all().size());
        EXPECT_EQ(nullptr, fresh.find(second.uuid));
        EXPECT_EQ(records[1], fresh.find(second.usage));
        EXPECT_EQ(records.back(), fresh.find(records.back()->definition.uuid));
        EXPECT_EQ(1U, fresh.ephemeralCount());
    }
}

TEST_F(IndexFillTest, OfOneThatIsListedTwiceTheFirstIsTaken) {
    auto records = recordsBelow(kMany);
    auto twice = records;
    twice.push_back(recordOf(numbered(3)));
    fill(twice);
    expectEach(records);
    EXPECT_THAT(refused, IsEmpty());
}

TEST_F(IndexFillTest, WritersGoOnWithTheirOwnPlaces) {
    auto records = recordsBelow(kMany);
    fill(records);
    const SecretDefinition another = numbered(kMany);
    {
        IndexWriter writer(index, another.uuid);
        writer.reserve(another);
        records.push_back(recordOf(another));
        writer.publish(records.back(), {});
    }
    expectEach(records);
}

} // namespace
} // namespace keyhold
