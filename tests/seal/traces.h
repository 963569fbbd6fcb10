// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "seal/golden.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>

namespace keyhold {

/// Number of stretches of 8 bytes of `secret` that are in `memory`.
std::size_t tracesIn(std::span<const std::uint8_t> memory, std::span<const std::uint8_t> secret);

// The memory of an instrumented program is mostly the sanitizer's own, many terabytes of it.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KEYHOLD_CAN_SEARCH_MEMORY 1
/// Number of places in the writable memory of this process, the main stack left out, that hold the
/// first or the last 16 bytes of `secret`; those inside `own` do not count. Guarded memory, free
/// parts of the heap and stacks of other threads are searched as well.
std::size_t tracesInMemory(std::span<const std::uint8_t> secret,
                           std::span<const std::span<const std::uint8_t>> own);
#endif

/// Copies of the vector registers of the processor, whose content a core dump shows; the upper half
/// is of those that only AVX-512 has, else zero.
using VectorRegisters = std::array<std::uint8_t, std::size_t{32} * 32>;
/// `saved` must be zero: to clear it here would take one of them.
void saveVectorRegisters(VectorRegisters &saved) noexcept;

/// Runs `body` on a stack of its own and returns what is in it afterwards, with the vector
/// registers behind it.
template <typename Body>
Bytes stackAfter(Body body) {
    // ThreadSanitizer wants almost 1 MiB for itself.
    constexpr std::size_t kSize = std::size_t{2} * 1024 * 1024;
    void *stack =
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    EXPECT_EQ(0, ::pthread_attr_init(&attributes));
    EXPECT_EQ(0, ::pthread_attr_setstack(&attributes, stack, kSize));
    struct Run {
        Body &body;
        VectorRegisters registers{};
    } run{body, {}};
    pthread_t thread;
    auto *start = +[](void *argument) -> void * {
#ifdef KEYHOLD_CAN_SEARCH_MEMORY
        // What the thread calls when it ends must not overwrite what is looked for. With
        // ThreadSanitizer, key stream was seen there that other builds do not leave.
        volatile std::uint8_t space[8192];
        space[0] = 0;
        asm volatile("" : : "r"(space) : "memory");
#endif
        auto &task = *static_cast<Run *>(argument);
        task.body();
        saveVectorRegisters(task.registers);
        return nullptr;
    };
    EXPECT_EQ(0, ::pthread_create(&thread, &attributes, start, &run));
    EXPECT_EQ(0, ::pthread_join(thread, nullptr));
    const auto *bytes = static_cast<const std::uint8_t *>(stack);
    Bytes found(bytes, bytes + kSize);
    found.insert(found.end(), run.registers.begin(), run.registers.end());
    ::pthread_attr_destroy(&attributes);
    ::munmap(stack, kSize);
    return found;
}

} // namespace keyhold
