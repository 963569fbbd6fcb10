// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/scratch.h"

#include <array>
#include <atomic>
#include <utility>

namespace keyhold {
namespace {

/// Blocks of kPooledSize that nobody uses, wiped. Each slot is for whoever takes it: a mutex would
/// be taken four times for each secret of a load.
class Pool {
  public:
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

    /// Never destroyed: other threads may hold scratches until the process is gone.
    static Pool &ofProcess() {
        static Pool *const pool = new Pool;
        return *pool;
    }

  private:
    enum class State : std::uint8_t { empty, full, busy };
    struct Slot {
        std::atomic<State> state{State::empty};
        GuardedMemory block;
    };

    std::array<Slot, Scratch::kIdleBlocks> slots_;
};

GuardedMemory lend(std::size_t size) {
    if (size == 0)
        return {};
    if (size > Scratch::kPooledSize)
        return GuardedMemory(size);
    GuardedMemory block = Pool::ofProcess().take();
    return block.size() != 0 ? std::move(block) : GuardedMemory(Scratch::kPooledSize);
}

} // namespace

Scratch::Scratch(std::size_t size) : memory_(lend(size)), size_(size) {}

Scratch::~Scratch() {
    wipe(bytes());
    if (memory_.size() == kPooledSize)
        Pool::ofProcess().giveBack(memory_);
}

} // namespace keyhold
