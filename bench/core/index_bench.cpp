// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/fixed_secrets.h"
#include "conf/secret_xml.h"
#include "store/index.h"

#include <benchmark/benchmark.h>

#include <map>
#include <memory>

namespace keyhold::bench {

namespace {

// Made once for each size: the library calls a benchmark several times.
const Index &indexOf(std::uint64_t count) {
    static auto *const made = new std::map<std::uint64_t, Index>;
    const auto [place, isNew] = made->try_emplace(count);
    for (std::uint64_t number = 0; isNew && number < count; ++number) {
        auto record = std::make_shared<Record>();
        record->definition = parseSecretXml(xmlOf(number).c_str());
        IndexWriter writer(place->second, record->definition.uuid);
        writer.reserve(record->definition);
        writer.publish(std::move(record), {});
    }
    return place->second;
}

void indexByUuid(benchmark::State &state) {
    const auto count = static_cast<std::uint64_t>(state.range(0));
    const Index &index = indexOf(count);
    std::uint64_t i = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(index.find(Uuid(uuidOf(scramble(i++) % count))));
}

void indexByUsage(benchmark::State &state) {
    const auto count = static_cast<std::uint64_t>(state.range(0));
    const Index &index = indexOf(count);
    std::uint64_t i = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(
            index.find(Usage{UsageType::ceph, usageOf(scramble(i++) % count)}));
}

BENCHMARK(indexByUuid)->Arg(1000)->Arg(100000);
BENCHMARK(indexByUsage)->Arg(1000)->Arg(100000);

} // namespace

} // namespace keyhold::bench
