// SPDX-License-Identifier: LGPL-2.1-or-later
#include "threads/event_loop.h"

#include "threads/client.h"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace keyhold {

namespace {

struct Turn {
    std::mutex mutex;
    std::condition_variable isOver;
    int left;
};

// What is due when this timer is first due has been dispatched when it is due again.
void onTurn(int timer, void *opaque) {
    auto &turn = *static_cast<Turn *>(opaque);
    const std::lock_guard lock(turn.mutex);
    if (--turn.left > 0)
        return;
    virEventRemoveTimeout(timer);
    turn.isOver.notify_all();
}

void stop(int timer, void *opaque) {
    static_cast<std::atomic<bool> *>(opaque)->store(true);
    virEventRemoveTimeout(timer);
}

} // namespace

EventLoop::EventLoop() {
    if (virEventRegisterDefaultImpl() < 0)
        throw std::runtime_error(client::describeError());
    thread_ = std::thread([this] {
        while (!isStopping_)
            virEventRunDefaultImpl();
    });
}

EventLoop::~EventLoop() {
    virEventAddTimeout(0, stop, &isStopping_, nullptr);
    thread_.join();
}

void EventLoop::reconcile() {
    Turn turn{{}, {}, 2};
    std::unique_lock lock(turn.mutex);
    if (virEventAddTimeout(0, onTurn, &turn, nullptr) < 0)
        throw std::runtime_error(client::describeError());
    turn.isOver.wait(lock, [&] { return turn.left <= 0; });
}

} // namespace keyhold
