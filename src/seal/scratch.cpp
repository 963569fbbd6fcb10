// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/scratch.h"

#include <mutex>
#include <utility>
#include <vector>

namespace keyhold {
namespace {

/// Blocks of kPooledSize that nobody uses, wiped.
class Pool {
  public:
    Pool() { idle_.reserve(Scratch::kIdleBlocks); }

    /// Empty if there is none.
    GuardedMemory take() {
        const std::lock_guard held(mutex_);
        if (idle_.empty())
            return {};
        GuardedMemory taken = std::move(idle_.back());
        idle_.pop_back();
        return taken;
    }

    /// Leaves `block` with the caller if enough are idle.
    void giveBack(GuardedMemory &block) noexcept {
        const std::lock_guard held(mutex_);
        if (idle_.size() < Scratch::kIdleBlocks)
            idle_.push_back(std::move(block));
    }

    /// Never destroyed: other threads may hold scratches until the process is gone.
    static Pool &ofProcess() {
        static Pool *const pool = new Pool;
        return *pool;
    }

  private:
    std::mutex mutex_;
    std::vector<GuardedMemory> idle_;
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
