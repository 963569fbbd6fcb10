// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <barrier>
#include <functional>
#include <thread>
#include <vector>

namespace keyhold {

inline constexpr unsigned kThreads = 8;

/// Runs `body` on `count` threads that start it at the same moment, each with its number, and joins
/// them.
inline void atOnce(unsigned count, const std::function<void(unsigned)> &body) {
    std::barrier start(count);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            start.arrive_and_wait();
            body(i);
        });
    }
    for (std::thread &thread : threads)
        thread.join();
}

} // namespace keyhold
