// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/scratch.h"

#include <array>
#include <atomic>
#include <utility>

namespace keyhold {
namespace {

/// Blocks of one size that nobody uses, wiped. Each slot is for whoever takes it: a mutex would
/// be taken four times for each secret of a load.
class Pool {
  public:
    explicit Pool(std::size_t blockSize) : blockSize_(blockSize) {}

    [[nodiscard]] std::size_t blockSize() const noexcept { return blockSize_; }

    GuardedMemory lend() {
        if (Slot *slot = claim(State::full)) {
            GuardedMemory block = std::move(slot->block);
            slot->state.store(State::empty, std::memory_order_release);
            return block;
        }
        return GuardedMemory(blockSize_);
    }

    /// Leaves `block` with the caller if enough are idle.
    void giveBack(GuardedMemory &block) noexcept {
        if (Slot *slot = claim(State::empty)) {
            slot->block = std::move(block);
            slot->state.store(State::full, std::memory_order_release);
        }
    }

  private:
    enum class State : std::uint8_t { empty, full, busy };
    struct Slot {
        std::atomic<State> state{State::empty};
        GuardedMemory block;
    };

    /// Makes a slot of that state busy; null if there is none.
    Slot *claim(State wanted) noexcept {
        for (Slot &slot : slots_) {
            State state = slot.state.load(std::memory_order_relaxed);
            if (state == wanted &&
                slot.state.compare_exchange_strong(state, State::busy, std::memory_order_acquire))
                return &slot;
        }
        return nullptr;
    }

    std::size_t blockSize_;
    std::array<Slot, Scratch::kIdleBlocks> slots_;
};

/// Null if blocks of that size are not kept.
Pool *poolFor(std::size_t size) {
    // Never destroyed: other threads may hold scratches until the process is gone.
    static auto *const pools =
        new std::array<Pool, 2>{Pool(Scratch::kSmallSize), Pool(Scratch::kPooledSize)};
    for (Pool &pool : *pools)
        if (size <= pool.blockSize())
            return &pool;
    return nullptr;
}

GuardedMemory lend(std::size_t size) {
    if (size == 0)
        return {};
    Pool *const pool = poolFor(size);
    return pool != nullptr ? pool->lend() : GuardedMemory(size);
}

} // namespace

Scratch::Scratch(std::size_t size) : memory_(lend(size)), size_(size) {}

Scratch::~Scratch() {
    wipe(bytes());
    if (Pool *const pool = memory_.size() != 0 ? poolFor(size_) : nullptr)
        pool->giveBack(memory_);
}

} // namespace keyhold
