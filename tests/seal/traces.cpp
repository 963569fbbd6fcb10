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

// Sanitizers would take the search for a fault of the memory that is read.
__attribute__((no_sanitize("address", "thread"))) std::size_t
tracesInMemory(std::span<const std::uint8_t> secret,
               std::span<const std::span<const std::uint8_t>> own) {
    // Made before the maps are read, so that nothing is mapped or released meanwhile.
    struct Range {
        std::uintptr_t begin;
        std::uintptr_t end;
    };
    std::vector<Range> ranges;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        unsigned long from = 0;
        unsigned long to = 0;
        char mode[5] = "";
        if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, mode) == 3 && mode[0] == 'r' &&
            mode[1] == 'w' && line.find("[stack") == std::string::npos)
            ranges.push_back({from, to});
    }
    std::size_t count = 0;
    const std::uint8_t *sought = secret.data();
    for (const Range &range : ranges) {
        const auto *begin = reinterpret_cast<const std::uint8_t *>(range.begin);
        const auto *end = reinterpret_cast<const std::uint8_t *>(range.end);
        for (const std::uint8_t *at = begin; at + 16 <= end; at += 8) {
            std::size_t same = 0;
            while (same < 16 && at[same] == sought[same])
                ++same;
            if (same < 16)
                continue;
            count += std::none_of(own.begin(), own.end(),
                                  [&](const auto &ours) {
                                      return at >= ours.data() && at < ours.data() + ours.size();
                                  })
                         ? 1U
                         : 0U;
        }
    }
    return count;
}

} // namespace keyhold
