// SPDX-License-Identifier: LGPL-2.1-or-later
#include "seal/base64.h"

#include <benchmark/benchmark.h>

#include <vector>

namespace keyhold::bench {

namespace {

void base64Encode(benchmark::State &state) {
    const std::vector<std::uint8_t> value(static_cast<std::size_t>(state.range(0)), 0x5a);
    std::vector<std::uint8_t> text(plainTextSize(value.size()) + 1);
    for (auto _ : state) {
        encodePlain(value, text);
        benchmark::ClobberMemory();
    }
}

void base64Decode(benchmark::State &state) {
    const std::vector<std::uint8_t> value(static_cast<std::size_t>(state.range(0)), 0x5a);
    std::vector<std::uint8_t> text(plainTextSize(value.size()) + 1);
    encodePlain(value, text);
    text.pop_back();
    std::vector<std::uint8_t> decoded(text.size() / 4 * 3 + 3);
    for (auto _ : state)
        benchmark::DoNotOptimize(decodePlain(text, decoded));
}

BENCHMARK(base64Encode)->Arg(32)->Arg(4096)->Arg(65536);
BENCHMARK(base64Decode)->Arg(32)->Arg(4096)->Arg(65536);

} // namespace

} // namespace keyhold::bench
