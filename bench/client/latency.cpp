// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/latency.h"

#include "client/reads.h"
#include "client/session_daemon.h"
#include "client/writes.h"
#include "common/clocks.h"
#include "common/durable_write.h"
#include "common/fixed_secrets.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>

namespace keyhold::bench {

namespace {

/// The system calls of a change without a driver: what the machine does to a reader by them.
std::function<void()> bareWrites(const std::string &path) {
    const int directory = open(path.c_str(), O_DIRECTORY | O_CLOEXEC);
    require(directory >= 0, path);
    // As long as the base64 of a value. The client ends soon, and the directory with it.
    return [directory] { writeDurably(directory, "bare", std::string(44, 'v')); };
}

std::function<void()> workBeside(const Target &target, const Words &words) {
    const std::string &name = words.word(2);
    if (name == "idle")
        return nullptr;
    if (name == "bare")
        return bareWrites(words.word(3));
    if (name == "reload")
        return reloadDrivers;
    if (name != "set")
        throw std::runtime_error("nothing of that kind to do beside: " + name);
    const std::uint64_t number = target.count - 1;
    const auto secret = std::make_shared<const Secret>(lookup(target, number));
    return [secret, number] { setOne(secret->get(), number); };
}

/// Repeats something in a thread of its own until it goes.
class Beside {
  public:
    explicit Beside(const std::function<void()> &work) {
        if (work)
            thread_ = std::jthread([this, work](const std::stop_token &stop) {
                while (!stop.stop_requested() && !hasFailed_)
                    round(work);
            });
    }

    /// How often it was done; raises if it failed.
    double end() {
        if (thread_.joinable()) {
            thread_.request_stop();
            thread_.join();
        }
        if (hasFailed_)
            throw std::runtime_error("what was done beside failed");
        return static_cast<double>(rounds_);
    }

  private:
    void round(const std::function<void()> &work) {
        try {
            work();
            ++rounds_;
        } catch (const std::exception &problem) {
            std::fprintf(stderr, "%s\n", problem.what());
            hasFailed_ = true;
        }
    }

    std::atomic<std::uint64_t> rounds_{0};
    std::atomic<bool> hasFailed_{false};
    std::jthread thread_;
};

double quantile(const std::vector<double> &sorted, double part) {
    const auto last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(last * part)];
}

} // namespace

Figures latency(const Target &target, const Words &words) {
    const Read read = readNamed(target, words.word(0));
    const double limit = std::stod(words.word(1));
    Beside beside(workBeside(target, words));
    std::vector<double> times;
    const Stopwatch whole;
    while (whole.wall() < limit) {
        const Stopwatch watch;
        read(scramble(times.size()));
        times.push_back(watch.wall());
    }
    const double rounds = beside.end();
    std::ranges::sort(times);
    const double sum = std::accumulate(times.begin(), times.end(), 0.0);
    return {{"mean", sum / static_cast<double>(times.size())},
            {"p50", quantile(times, 0.5)},
            {"p99", quantile(times, 0.99)},
            {"max", times.back()},
            {"calls", static_cast<double>(times.size())},
            {"beside", rounds}};
}

Figures reload() {
    const std::uint64_t before = readCalls();
    const Stopwatch watch;
    reloadDrivers();
    const Figures times = {{"wall", watch.wall()}, {"cpu", watch.cpu()}};
    return {times[0], times[1], {"reads", static_cast<double>(readCalls() - before)}};
}

} // namespace keyhold::bench
