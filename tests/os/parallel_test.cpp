// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyhold {
namespace {

std::size_t processors() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    return static_cast<std::size_t>(CPU_COUNT(&allowed));
}

/// Lets no thread go on before as many as there are processors, two at most, have come.
class Rendezvous {
  public:
    void come() {
        std::unique_lock lock(mutex_);
        threads_.insert(std::this_thread::get_id());
        came_.notify_all();
        came_.wait(lock, [&] { return threads_.size() >= std::min<std::size_t>(processors(), 2); });
    }
    [[nodiscard]] std::size_t count() const { return threads_.size(); }

  private:
    std::mutex mutex_;
    std::condition_variable came_;
    std::set<std::thread::id> threads_;
};

bool blocksEverything() {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGALRM, SIGRTMIN + 3}) {
        if (sigismember(&mask, signal) != 1)
            return false;
    }
    return true;
}

TEST(ParallelTest, EachIndexIsVisitedOnce) {
    for (const std::size_t count : {0U, 1U, 2U, 63U, 64U, 65U, 128U, 1000U, 10007U}) {
        std::vector<std::atomic<int>> visits(count);
        parallelFor(count, [&](std::size_t i) { ++visits.at(i); });
        for (std::size_t i = 0; i < count; ++i)
            EXPECT_EQ(1, visits[i]) << i << " of " << count;
    }
}

TEST(ParallelTest, AllProcessorsTakePartAndTheirThreadsAreGoneAfterwards) {
    std::mutex mutex;
    std::condition_variable came;
    std::set<std::thread::id> threads;
    std::atomic<int> inside{0};
    parallelFor(processors() * 64, [&](std::size_t i) {
        ++inside;
        if (i % 64 == 0) {
            std::unique_lock lock(mutex);
            threads.insert(std::this_thread::get_id());
            came.notify_all();
            came.wait(lock, [&] { return threads.size() == processors(); });
        }
        --inside;
    });
    EXPECT_EQ(processors(), threads.size());
    EXPECT_TRUE(threads.contains(std::this_thread::get_id()));
    EXPECT_EQ(0, inside);
}

TEST(ParallelTest, LittleWorkIsDoneByTheCallerAlone) {
    parallelFor(64, [caller = std::this_thread::get_id()](std::size_t) {
        EXPECT_EQ(caller, std::this_thread::get_id());
    });
}

TEST(ParallelTest, OnOneProcessorTheCallerDoesAll) {
    cpu_set_t before;
    ASSERT_EQ(0, sched_getaffinity(0, sizeof(before), &before));
    cpu_set_t one;
    CPU_ZERO(&one);
    int first = 0;
    while (!CPU_ISSET(first, &before))
        ++first;
    CPU_SET(first, &one);
    ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
    std::size_t visits = 0;
    parallelFor(1000, [&, caller = std::this_thread::get_id()](std::size_t) {
        ++visits; // of one thread, or ThreadSanitizer has something to say
        EXPECT_EQ(caller, std::this_thread::get_id());
    });
    EXPECT_EQ(1000U, visits);

    // There the order is known, and so what an exception ends.
    visits = 0;
    EXPECT_THROW(parallelFor(1000,
                             [&](std::size_t i) {
                                 ++visits;
                                 if (i == 5)
                                     throw std::out_of_range("five");
                             }),
                 std::out_of_range);
    EXPECT_EQ(6U, visits);
    ASSERT_EQ(0, sched_setaffinity(0, sizeof(before), &before));
}

TEST(ParallelTest, AnExceptionOfAnyThreadIsRaisedInTheCallerOnce) {
    for (const bool inCaller : {true, false}) {
        Rendezvous all;
        const auto caller = std::this_thread::get_id();
        try {
            parallelFor(10000, [&](std::size_t) {
                all.come();
                if ((std::this_thread::get_id() == caller) == (inCaller || processors() == 1))
                    throw std::out_of_range("the first");
            });
            ADD_FAILURE();
        } catch (const std::out_of_range &failure) {
            EXPECT_STREQ("the first", failure.what());
        }
    }
}

TEST(ParallelTest, WhenAllThreadsRaiseOneExceptionComesOut) {
    Rendezvous all;
    EXPECT_THROW(parallelFor(10000,
                             [&](std::size_t) {
                                 all.come();
                                 throw std::length_error("each");
                             }),
                 std::length_error);
}

TEST(ParallelTest, SignalsAreBlockedInItsThreadsAndLeftAloneInTheCaller) {
    sigset_t before;
    ASSERT_EQ(0, pthread_sigmask(SIG_SETMASK, nullptr, &before));
    Rendezvous all;
    std::atomic<int> others{0};
    parallelFor(10000, [&, caller = std::this_thread::get_id()](std::size_t) {
        all.come();
        if (std::this_thread::get_id() == caller) {
            EXPECT_FALSE(blocksEverything());
        } else {
            ++others;
            EXPECT_TRUE(blocksEverything());
        }
    });
    EXPECT_EQ(processors() > 1, others > 0);
    sigset_t after;
    ASSERT_EQ(0, pthread_sigmask(SIG_SETMASK, nullptr, &after));
    for (int signal = 1; signal < SIGRTMAX; ++signal)
        EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << signal;
}

TEST(ParallelTest, ItCanBeCalledFromItself) {
    std::atomic<int> visits{0};
    parallelFor(200, [&](std::size_t) { parallelFor(200, [&](std::size_t) { ++visits; }); });
    EXPECT_EQ(200 * 200, visits);
}

// Exit status of the child below.
constexpr int kThreadsCanBeMade = 2;
constexpr int kNotAllVisited = 3;
constexpr int kNoUser = 4;

int workWithoutThreads() {
    // Limits of this kind do not bind root.
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        return kNoUser;
    const rlimit none{0, 0};
    setrlimit(RLIMIT_NPROC, &none);
    try {
        std::thread([] {}).join();
        return kThreadsCanBeMade;
    } catch (const std::system_error &) {
        // As it should be.
    }
    std::size_t visits = 0;
    parallelFor(1000, [&](std::size_t) { ++visits; });
    return visits == 1000 ? 0 : kNotAllVisited;
}

TEST(ParallelTest, WhenNoThreadCanBeMadeTheCallerDoesAll) {
    const pid_t child = fork();
    if (child == 0)
        _exit(workWithoutThreads());
    int status = 0;
    ASSERT_EQ(child, waitpid(child, &status, 0));
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(0, WEXITSTATUS(status));
}

} // namespace
} // namespace keyhold
