// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/shared_mutex.h"

#include <gtest/gtest.h>

#include <array>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace keyhold {
namespace {

/// Until a reader that tries is refused: then a writer waits.
void awaitWaitingWriter(SharedMutex &mutex) {
    // A lock that lets readers in at any time would never refuse one.
    constexpr int kTries = 100'000;
    for (int i = 0; i < kTries; ++i) {
        if (!mutex.try_lock_shared())
            return;
        mutex.unlock_shared();
        std::this_thread::yield();
    }
    FAIL() << "readers get in although a writer waits";
}

TEST(SharedMutex, ReadersShareIt) {
    SharedMutex mutex;
    const std::shared_lock first(mutex);
    EXPECT_TRUE(mutex.try_lock_shared());
    mutex.unlock_shared();
}

TEST(SharedMutex, AWriterHasItAlone) {
    SharedMutex mutex;
    {
        const std::unique_lock writing(mutex);
        bool isIn = true;
        std::thread([&] { isIn = mutex.try_lock_shared(); }).join();
        EXPECT_FALSE(isIn);
    }
    EXPECT_TRUE(mutex.try_lock_shared());
    mutex.unlock_shared();
}

// The order of the entries, which the lock itself guards, is the order of getting in.
TEST(SharedMutex, AWriterThatWaitsComesBeforeTheReadersThatComeAfterIt) {
    SharedMutex mutex;
    std::vector<char> order;
    std::mutex orderMutex;
    const auto enter = [&](char who) {
        const std::lock_guard lock(orderMutex);
        order.push_back(who);
    };
    std::thread writer;
    std::vector<std::thread> readers;
    {
        const std::shared_lock inside(mutex);
        writer = std::thread([&] {
            const std::unique_lock lock(mutex);
            enter('w');
        });
        awaitWaitingWriter(mutex);
        for (int i = 0; i < 8; ++i) {
            readers.emplace_back([&] {
                const std::shared_lock lock(mutex);
                enter('r');
            });
        }
    }
    writer.join();
    for (std::thread &reader : readers)
        reader.join();
    ASSERT_EQ(order.size(), 9U);
    EXPECT_EQ(order.front(), 'w');
}

TEST(SharedMutex, WritersThatComeAllTheTimeKeepNoReaderOut) {
    SharedMutex mutex;
    std::atomic<bool> isRead{false};
    std::array<std::thread, 4> writers;
    for (std::thread &writer : writers) {
        writer = std::thread([&] {
            while (!isRead)
                const std::unique_lock lock(mutex);
        });
    }
    {
        const std::shared_lock lock(mutex);
        isRead = true;
    }
    for (std::thread &writer : writers)
        writer.join();
}

TEST(SharedMutex, GuardsWhatWritersChange) {
    SharedMutex mutex;
    constexpr int kThreads = 4;
    constexpr int kTimes = 5'000;
    int first = 0; // equal whenever nobody writes
    int second = 0;
    std::atomic<int> unequal{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < kTimes; ++n) {
                {
                    const std::unique_lock lock(mutex);
                    ++first;
                    ++second;
                }
                const std::shared_lock lock(mutex);
                unequal += first == second ? 0 : 1;
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(first, kThreads * kTimes);
    EXPECT_EQ(unequal, 0);
}

} // namespace
} // namespace keyhold
