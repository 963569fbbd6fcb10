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
    explicit Pool(std::size_t size) : size_(size) {}

    [[nodiscard]] std::size_t blockSize() const noexcept { return size_; }

    GuardedMemory lend() {
        GuardedMemory block = take();
        return block.size() != 0 ? std::move(block) : GuardedMemory(size_);
    }

    /// Leaves `block` with the caller if enough are idle.
    void giveBack(GuardedMemory &block) noexcept {
        for (Slot &slot : slots_) {
            State empty = State::empty;
            if (slot.state.load(std::memory_order_relaxed) == State::empty &&
                slot.state.compare_exchange_strong(empty, State::busy, std::memory_order_acquire)) {
                slot.block = std::move(block);
                slot.state.store(State::full, std::memory_order_release);
                return;
            }
        }
    }

  private:
    enum class State : std::uint8_t { empty, full, busy };
    struct Slot {
        std::atomic<State> state{State::empty};
        GuardedMemory block;
    };

    /// Empty if there is none.
    GuardedMemory take() noexcept {
        for (Slot &slot : slots_) {
            State full = State::full;
            if (slot.state.load(std::memory_order_relaxed) == State::full &&
                slot.state.compare_exchange_strong(full, State::busy, std::memory_order_acquire)) {
                GuardedMemory taken = std::move(slot.block);
                slot.state.store(State::empty, std::memory_order_release);
                return taken;
            }
        }
        return {};
    }

    std::size_t size_;
    std::array<Slot, Scratch::kIdleBlocks> slots_;
};

struct Pools {
    Pool small{Scratch::kSmallSize};
    Pool large{Scratch::kPooledSize};

    /// Never destroyed: other threads may hold scratches until the process is gone.
    static Pools &ofProcess() {
        static Pools *const pools = new Pools;
        return *pools;
    }
};

/// Null if blocks of that size are not kept.
Pool *poolFor(std::size_t size) {
    Pools &pools = Pools::ofProcess();
    if (size <= pools.small.blockSize())
        return &pools.small;
    return size <= pools.large.blockSize() ? &pools.large : nullptr;
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
