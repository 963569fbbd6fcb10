// SPDX-License-Identifier: LGPL-2.1-or-later
#include "os/parallel.h"

#include "conf/mutex.h"
#include "os/background_thread.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <sched.h>
#include <thread>
#include <vector>

namespace keyhold {

namespace {

std::size_t processorCount() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        return 1;
    return static_cast<std::size_t>(std::max(CPU_COUNT(&allowed), 1));
}

} // namespace

void parallelFor(std::size_t count, const std::function<void(std::size_t)> &work,
                 std::size_t batch) {
    std::atomic<std::size_t> next{0};
    struct {
        Mutex mutex;
        std::exception_ptr first GUARDED_BY(mutex);
    } failure;

    const auto run = [&] {
        try {
            for (;;) {
                const std::size_t first = next.fetch_add(batch);
                for (std::size_t i = first; i < std::min(first + batch, count); ++i)
                    work(i);
                if (first + batch >= count)
                    return;
            }
        } catch (const std::exception &) {
            next = count;
            const MutexLock lock(failure.mutex);
            if (!failure.first)
                failure.first = std::current_exception();
        }
    };

    std::vector<std::jthread> threads; // joined on every way out
    const std::size_t wanted = std::min(processorCount(), (count + batch - 1) / batch);
    if (wanted > 1) {
        threads.reserve(wanted - 1);
        try {
            while (threads.size() + 1 < wanted)
                threads.push_back(startThread([&run](const std::stop_token &) { run(); }));
        } catch (const std::exception &) {
            // No thread, or no memory for one: the calling thread does what is left.
        }
    }
    run();
    threads.clear();
    const MutexLock lock(failure.mutex);
    if (failure.first)
        std::rethrow_exception(failure.first);
}

} // namespace keyhold
