// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/process.h"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>

namespace keyhold {
namespace {

using Visit =
    std::function<void(std::uintptr_t begin, std::uintptr_t end, const std::set<std::string> &)>;

void visitMappings(const Visit &visit) {
    std::ifstream smaps("/proc/self/smaps");
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    for (std::string line; std::getline(smaps, line);) {
        unsigned long from = 0;
        unsigned long to = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) {
            begin = from;
            end = to;
        } else if (line.starts_with("VmFlags:")) {
            std::istringstream words(line.substr(8));
            std::set<std::string> flags;
            for (std::string word; words >> word;)
                flags.insert(word);
            visit(begin, end, flags);
        }
    }
}

} // namespace

std::set<std::string> memoryFlags(const void *address) {
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    std::set<std::string> found;
    visitMappings([&](std::uintptr_t begin, std::uintptr_t end, const auto &flags) {
        if (begin <= wanted && wanted < end)
            found = flags;
    });
    return found;
}

std::size_t guardedMappings() {
    std::size_t count = 0;
    visitMappings([&](std::uintptr_t, std::uintptr_t, const auto &flags) {
        count += flags.contains("dd") && flags.contains("wf") ? 1 : 0;
    });
    return count;
}

} // namespace keyhold
