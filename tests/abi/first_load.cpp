// SPDX-License-Identifier: LGPL-2.1-or-later
// The first lookup of a process. Without an argument no libvirt is loaded; with one, libvirt is
// loaded first and the lookup is made by eight threads at once. Prints what the lookup returned.
#include "abi/symbols.h"

#include <array>
#include <barrier>
#include <cstdio>
#include <cstring>
#include <thread>

#include <dlfcn.h>

using namespace keyhold::abi;

namespace {

bool sameInEveryThread() {
    constexpr int kThreads = 8;
    std::barrier start(kThreads);
    std::array<const char *, kThreads> missing{};
    std::array<Symbols, kThreads> tables{};
    {
        std::array<std::jthread, kThreads> threads;
        for (std::size_t i = 0; i < threads.size(); ++i)
            threads[i] = std::jthread([&, i] {
                start.arrive_and_wait();
                missing[i] = loadSymbols();
                tables[i] = symbols();
            });
    }
    for (std::size_t i = 0; i < tables.size(); ++i)
        if (missing[i] != missing[0] || std::memcmp(&tables[i], &tables[0], sizeof(Symbols)) != 0)
            return false;
    return true;
}

} // namespace

int main(int argc, char **) {
    if (dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD) != nullptr) {
        std::puts("libvirt was linked into this test");
        return 1;
    }
    if (argc > 1 && dlopen("libvirt.so.0", RTLD_NOW) == nullptr) {
        std::puts(dlerror());
        return 1;
    }
    if (!sameInEveryThread()) {
        std::puts("the threads saw different tables");
        return 1;
    }
    std::printf("missing: '%s', virGetSecret %s\n", loadSymbols(),
                symbols().virGetSecret != nullptr ? "found" : "null");
    return 0;
}
