// SPDX-License-Identifier: LGPL-2.1-or-later
#include "secret_driver/sync_gate.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

namespace keyhold {

namespace {

struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool isClosed = false;
    int waiting = 0;
    std::thread::id owner;

    static State &get() {
        static auto *const state = new State;
        return *state;
    }

    void pass() {
        std::unique_lock lock(mutex);
        if (!isClosed || owner == std::this_thread::get_id())
            return;
        ++waiting;
        changed.notify_all();
        changed.wait(lock, [this] { return !isClosed; });
        --waiting;
    }
};

} // namespace

SyncGate::SyncGate() {
    State &state = State::get();
    const std::lock_guard lock(state.mutex);
    state.owner = std::this_thread::get_id();
    state.isClosed = true;
}

void SyncGate::awaitArrival() {
    State &state = State::get();
    std::unique_lock lock(state.mutex);
    state.changed.wait(lock, [&] { return state.waiting > 0; });
}

void SyncGate::open() {
    State &state = State::get();
    const std::lock_guard lock(state.mutex);
    state.isClosed = false;
    state.changed.notify_all();
}

} // namespace keyhold

// Before the one of libc.
extern "C" int fsync(int descriptor) {
    keyhold::State::get().pass();
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}
