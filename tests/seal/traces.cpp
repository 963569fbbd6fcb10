// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/traces.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace keyhold {

std::size_t tracesIn(std::span<const std::uint8_t> memory, std::span<const std::uint8_t> secret) {
    std::size_t count = 0;
    for (std::size_t at = 0; at + 8 <= secret.size(); at += 8)
        count += ::memmem(memory.data(), memory.size(), secret.data() + at, 8) != nullptr ? 1U : 0U;
    return count;
}

void saveVectorRegisters(VectorRegisters &saved) noexcept {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512vl"))
        asm volatile(".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
                     "vmovdqu64 %%ymm\\n, 32*\\n(%0)\n\t.endr"
                     :
                     : "r"(saved.data())
                     : "memory");
#define EVERY_REGISTER ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
    if (__builtin_cpu_supports("avx"))
        asm volatile(EVERY_REGISTER "vmovdqu %%ymm\\n, 32*\\n(%0)\n\t.endr"
                     :
                     : "r"(saved.data())
                     : "memory");
    else
        asm volatile(EVERY_REGISTER "movdqu %%xmm\\n, 32*\\n(%0)\n\t.endr"
                     :
                     : "r"(saved.data())
                     : "memory");
#undef EVERY_REGISTER
#else
    static_cast<void>(saved);
#endif
}

#ifdef KEYHOLD_CAN_SEARCH_MEMORY
namespace {

using Memory = std::span<const std::uint8_t>;

std::vector<Memory> writableMemory() {
    std::vector<Memory> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        unsigned long from = 0;
        unsigned long to = 0;
        char mode[5] = "";
        if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, mode) == 3 && mode[0] == 'r' &&
            mode[1] == 'w' && line.find("[stack") == std::string::npos)
            found.emplace_back(reinterpret_cast<const std::uint8_t *>(from), to - from);
    }
    return found;
}

std::size_t placesOf(Memory sought, Memory memory, std::span<const Memory> own) {
    std::size_t count = 0;
    for (;;) {
        const auto *at = static_cast<const std::uint8_t *>(
            ::memmem(memory.data(), memory.size(), sought.data(), sought.size()));
        if (at == nullptr)
            return count;
        count += std::none_of(own.begin(), own.end(),
                              [&](const Memory &ours) {
                                  return at >= ours.data() && at < ours.data() + ours.size();
                              })
                     ? 1U
                     : 0U;
        memory = memory.subspan(static_cast<std::size_t>(at + 1 - memory.data()));
    }
}

} // namespace

std::size_t tracesInMemory(Memory secret, std::span<const Memory> own) {
    std::size_t count = 0;
    for (const Memory &memory : writableMemory())
        count += placesOf(secret.first(16), memory, own) + placesOf(secret.last(16), memory, own);
    return count;
}
#endif

} // namespace keyhold
