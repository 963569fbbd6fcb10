// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/fixed_secrets.h"
#include "seal/shield.h"

#include <benchmark/benchmark.h>

#include <array>
#include <vector>

namespace keyhold::bench {

namespace {

void shieldSeal(benchmark::State &state) {
    const Uuid uuid(uuidOf(1));
    const std::vector<std::uint8_t> plain(static_cast<std::size_t>(state.range(0)), 0x5a);
    for (auto _ : state)
        benchmark::DoNotOptimize(ShieldedValue::seal(uuid, plain));
}

void shieldOpen(benchmark::State &state) {
    const Uuid uuid(uuidOf(1));
    Scratch plain(static_cast<std::size_t>(state.range(0)));
    const ShieldedValue shielded = ShieldedValue::seal(uuid, plain.bytes());
    for (auto _ : state) {
        shielded.openInside(uuid, plain);
        benchmark::ClobberMemory();
    }
}

BENCHMARK(shieldSeal)->Arg(32)->Arg(4096)->Arg(65536);
BENCHMARK(shieldOpen)->Arg(32)->Arg(4096)->Arg(65536);

} // namespace

} // namespace keyhold::bench
