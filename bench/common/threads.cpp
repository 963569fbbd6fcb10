// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/threads.h"

#include "common/clocks.h"

#include <algorithm>
#include <exception>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

namespace keyhold::bench {

double timeThreads(unsigned count, const std::function<void(unsigned)> &work) {
    struct Span {
        double begin;
        double end;
    };
    const Stopwatch watch;
    std::latch ready(count);
    std::mutex mutex;
    std::exception_ptr failure;
    std::vector<Span> spans(count);
    std::vector<std::jthread> threads;
    threads.reserve(count);
    for (unsigned i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            ready.arrive_and_wait();
            spans[i].begin = watch.wall();
            try {
                work(i);
            } catch (...) {
                const std::lock_guard lock(mutex);
                failure = failure ? failure : std::current_exception();
            }
            spans[i].end = watch.wall();
        });
    }
    threads.clear();
    if (failure)
        std::rethrow_exception(failure);
    return std::ranges::max(spans, {}, &Span::end).end -
           std::ranges::min(spans, {}, &Span::begin).begin;
}

} // namespace keyhold::bench
