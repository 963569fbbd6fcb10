// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/fixed_secrets.h"
#include "seal/jwe.h"

#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

namespace keyhold::bench {

namespace {

Keyring keyring() {
    std::array<std::uint8_t, Key::kSize> raw;
    raw.fill(7);
    Keyring keys;
    keys.setPrimary(raw);
    return keys;
}

void jweSeal(benchmark::State &state) {
    const Keyring keys = keyring();
    const Uuid uuid(uuidOf(1));
    const std::vector<std::uint8_t> value(static_cast<std::size_t>(state.range(0)), 0x5a);
    for (auto _ : state)
        benchmark::DoNotOptimize(sealJwe(*keys.current(), uuid, value));
}

// From the text to the value at rest in memory, as a load does.
void jweOpen(benchmark::State &state) {
    const Keyring keys = keyring();
    const Uuid uuid(uuidOf(1));
    const std::vector<std::uint8_t> value(static_cast<std::size_t>(state.range(0)), 0x5a);
    const std::string sealed = sealJwe(*keys.current(), uuid, value);
    const std::vector<std::uint8_t> text(sealed.begin(), sealed.end());
    for (auto _ : state)
        benchmark::DoNotOptimize(openJwe(keys, uuid, text));
}

BENCHMARK(jweSeal)->Arg(32)->Arg(4096)->Arg(65536);
BENCHMARK(jweOpen)->Arg(32)->Arg(4096)->Arg(65536);

} // namespace

} // namespace keyhold::bench
