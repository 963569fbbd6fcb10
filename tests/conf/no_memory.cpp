// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/no_memory.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

thread_local bool isRefused = false;

} // namespace

// The other forms of the standard library come down to these.
void *operator new(std::size_t size) {
    void *const block = isRefused ? nullptr : std::malloc(size);
    if (!block)
        throw std::bad_alloc();
    return block;
}

void operator delete(void *block) noexcept {
    std::free(block);
}

void operator delete(void *block, std::size_t) noexcept {
    std::free(block);
}

namespace keyhold {

NoMemory::NoMemory() {
    isRefused = true;
}

NoMemory::~NoMemory() {
    isRefused = false;
}

} // namespace keyhold
