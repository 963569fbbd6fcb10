// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/fixed_secrets.h"
#include "conf/secret_xml.h"

#include <benchmark/benchmark.h>

#include <string>

namespace keyhold::bench {

namespace {

void xmlParse(benchmark::State &state) {
    const std::string xml = xmlOf(1);
    for (auto _ : state)
        benchmark::DoNotOptimize(parseSecretXml(xml.c_str()));
}

// As a load does, of a file as drivers write it.
void xmlParseFile(benchmark::State &state) {
    const std::string xml = xmlOf(1);
    const std::string name = "file.xml";
    for (auto _ : state)
        benchmark::DoNotOptimize(parseSecretFile(xml, name));
}

// The same secret, written by hand: a parser for all of XML is needed.
void xmlParseFileByHand(benchmark::State &state) {
    const std::string xml = "<?xml version='1.0'?>\n<!-- by hand -->\n" + xmlOf(1);
    const std::string name = "file.xml";
    for (auto _ : state)
        benchmark::DoNotOptimize(parseSecretFile(xml, name));
}

void xmlFormat(benchmark::State &state) {
    const SecretDefinition definition = parseSecretXml(xmlOf(1).c_str());
    for (auto _ : state)
        benchmark::DoNotOptimize(formatSecretXml(definition));
}

BENCHMARK(xmlParse);
BENCHMARK(xmlParseFile);
BENCHMARK(xmlParseFileByHand);
BENCHMARK(xmlFormat);

} // namespace

} // namespace keyhold::bench
