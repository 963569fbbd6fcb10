// SPDX-License-Identifier: LGPL-2.1-or-later
// Writers of an index in several threads.
#include "store/index.h"

#include "store/store_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <thread>

namespace keyhold {
namespace {

RecordPtr recordOf(const SecretDefinition &definition) {
    return std::make_shared<Record>(definition, Value(), false);
}

void put(Index &index, const SecretDefinition &definition) {
    IndexWriter writer(index, definition.uuid);
    writer.reserve(definition);
    writer.publish(recordOf(definition),
                   {Change{Change::Kind::defined, definition.uuid, definition.usage}});
}

TEST(IndexWritersTest, WritersOfTwoSecretsDoNotWaitForEachOther) {
    Index index;
    const IndexWriter first(index, uuidNumber(1));
    const IndexWriter second(index, uuidNumber(2)); // would not return
    std::thread([&] { const IndexWriter third(index, uuidNumber(3)); }).join();
}

TEST(IndexWritersTest, ReadersDoNotWaitForAWriter) {
    Index index;
    put(index, definitionOf(1, "one"));
    IndexWriter writer(index, uuidNumber(1));
    writer.reserve(definitionOf(1, "one"));
    std::thread([&] {
        EXPECT_NE(nullptr, index.find(uuidNumber(1)));
        EXPECT_NE(nullptr, index.find(Usage{UsageType::ceph, "one"}));
        EXPECT_EQ(1U, index.all().size());
        EXPECT_EQ(1U, index.takeChanges().size());
    }).join();
}

TEST(IndexWritersTest, ASecondWriterOfASecretWaitsAndSeesWhatTheFirstPublished) {
    Index index;
    std::atomic<bool> isPublished{false};
    std::thread waiting;
    {
        IndexWriter writer(index, uuidNumber(1));
        waiting = std::thread([&] {
            const IndexWriter second(index, uuidNumber(1));
            EXPECT_TRUE(isPublished);
            ASSERT_NE(nullptr, second.current());
            EXPECT_EQ("first", second.current()->definition.description);
        });
        writer.reserve(definitionOf(1));
        // Gives the second writer time to go wrong; it has to wait however long this takes.
        for (int i = 0; i < 1000; ++i)
            std::this_thread::yield();
        isPublished = true;
        writer.publish(recordOf(described(definitionOf(1), "first")), {});
    }
    waiting.join();
}

TEST(IndexWritersTest, NoTwoWritersHoldOneSecretHoweverManyWait) {
    constexpr int kThreads = 4;
    constexpr int kRounds = 200;
    Index index;
    std::array<std::atomic<int>, 3> inside{};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int round = 0; round < kRounds; ++round) {
                const int n = (t + round) % 3;
                const IndexWriter writer(index, uuidNumber(n));
                EXPECT_EQ(1, ++inside[static_cast<std::size_t>(n)]);
                --inside[static_cast<std::size_t>(n)];
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
}

TEST(IndexWritersTest, OfManyWhoWantOneUseOneHasIt) {
    constexpr int kThreads = 4;
    constexpr int kRounds = 100;
    for (int round = 0; round < kRounds; ++round) {
        Index index;
        std::atomic<int> refused{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                try {
                    put(index, definitionOf(t, "wanted"));
                } catch (const Error &) {
                    ++refused;
                }
            });
        }
        for (std::thread &thread : threads)
            thread.join();
        EXPECT_EQ(kThreads - 1, refused);
        ASSERT_EQ(1U, index.all().size());
        EXPECT_EQ(*index.all().begin(), index.find(Usage{UsageType::ceph, "wanted"}));
    }
}

TEST(IndexWritersTest, AListIsOfOneMomentWhileOthersWrite) {
    constexpr int kSecrets = 100;
    constexpr int kRounds = 200;
    Index index;
    const auto putAll = [&](const std::string &description) {
        for (int n = 0; n < kSecrets; ++n)
            put(index, described(definitionOf(n), description));
    };
    putAll("0");
    std::atomic<bool> isDone{false};
    std::thread writing([&] {
        for (int round = 1; round <= kRounds; ++round)
            putAll(std::to_string(round));
        isDone = true;
    });
    while (!isDone) {
        const RecordSnapshot list = index.all();
        EXPECT_EQ(std::size_t{kSecrets}, list.size());
        std::map<Uuid, int> rounds;
        for (const RecordPtr &record : list)
            rounds.emplace(record->definition.uuid, std::stoi(record->definition.description));
        ASSERT_EQ(std::size_t{kSecrets}, rounds.size());
        // Written in the order of their numbers: none is ahead of one before it.
        EXPECT_TRUE(
            std::ranges::is_sorted(rounds, std::greater(), &std::pair<const Uuid, int>::second));
        EXPECT_LE(rounds.at(uuidNumber(0)), rounds.at(uuidNumber(kSecrets - 1)) + 1);
    }
    writing.join();
}

TEST(IndexWritersTest, TheLastChangeOfASecretTellsWhatIsThere) {
    constexpr int kThreads = 4;
    constexpr int kSecrets = 3;
    constexpr int kRounds = 300;
    Index index;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int round = 0; round < kRounds; ++round) {
                const int n = (t * 7 + round) % kSecrets;
                if ((round + t) % 4 != 0) {
                    put(index, ephemeral(definitionOf(n, "use of " + std::to_string(n))));
                    continue;
                }
                IndexWriter writer(index, uuidNumber(n));
                writer.withdraw({Change{Change::Kind::undefined, uuidNumber(n), {}}});
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();

    std::map<Uuid, bool> isThere;
    for (const Change &change : index.takeChanges())
        isThere[change.uuid] = change.kind != Change::Kind::undefined;
    std::size_t count = 0;
    for (int n = 0; n < kSecrets; ++n) {
        const RecordPtr found = index.find(uuidNumber(n));
        EXPECT_EQ(isThere[uuidNumber(n)], found != nullptr);
        EXPECT_EQ(found, index.find(Usage{UsageType::ceph, "use of " + std::to_string(n)}));
        count += found ? 1 : 0;
    }
    EXPECT_EQ(count, index.ephemeralCount());
}

} // namespace
} // namespace keyhold
