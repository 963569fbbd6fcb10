// SPDX-License-Identifier: LGPL-2.1-or-later
// The floors of changes: the system calls without which a change of that kind is not durable, and
// nothing else. Works in the directory of a store, under names that no driver looks at.
#include "common/commands.h"
#include "common/durable_write.h"
#include "common/fixed_secrets.h"
#include "common/threads.h"

#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace keyhold::bench {

namespace {

std::string definitionName(std::uint64_t number) {
    return "floor-" + std::to_string(number) + ".definition";
}

std::string valueName(std::uint64_t number) {
    return "floor-" + std::to_string(number) + ".value";
}

using Change = std::function<void(int directory, std::uint64_t number)>;

void writeDefinition(int directory, std::uint64_t number) {
    writeDurably(directory, definitionName(number), xmlOf(number));
}

// As long as the base64 of a value, or as a sealed value.
void writeValue(int directory, std::uint64_t number) {
    writeDurably(directory, valueName(number), std::string(44, 'v'));
}

void writeSealedValue(int directory, std::uint64_t number) {
    writeDurably(directory, valueName(number), std::string(292, 'v'));
}

void removeBoth(int directory, std::uint64_t number) {
    require(unlinkat(directory, definitionName(number).c_str(), 0) == 0, definitionName(number));
    require(unlinkat(directory, valueName(number).c_str(), 0) == 0, valueName(number));
    require(fsync(directory) == 0, "the directory");
}

// Of two files that are only unlinked, a power cut may leave one.
void removeBothOrNeither(int directory, std::uint64_t number) {
    const std::array names = {definitionName(number), valueName(number)};
    const auto leaving = [](const std::string &name) { return name + ".leaving"; };
    for (const std::string &name : names)
        require(renameat(directory, name.c_str(), directory, leaving(name).c_str()) == 0, name);
    require(fsync(directory) == 0, "the directory");
    for (const std::string &name : names)
        require(unlinkat(directory, leaving(name).c_str(), 0) == 0, name);
}

const std::map<std::string, Change> &changes() {
    static const auto *const all = new std::map<std::string, Change>{
        {"define", writeDefinition}, {"redefine", writeDefinition},
        {"set", writeValue},         {"set-sealed", writeSealedValue},
        {"undefine", removeBoth},    {"undefine-whole", removeBothOrNeither},
    };
    return *all;
}

// As of the client: a change of one secret by each writer has a name that ends in -one.
Figures repeat(int directory, const Words &words) {
    std::string name = words.word(0);
    const bool isOfOneSecret = name.ends_with("-one");
    if (isOfOneSecret)
        name.resize(name.size() - 4);
    const Change &change = changes().at(name);
    const std::uint64_t times = words.number(1);
    const auto writers = static_cast<unsigned>(words.number(2));
    const double seconds = timeThreads(writers, [&](unsigned writer) {
        for (std::uint64_t i = 0; i < times; ++i)
            change(directory, isOfOneSecret ? writer : writer * times + i);
    });
    return {{"seconds", seconds / static_cast<double>(times * writers)}};
}

Figures removeAll(int directory, const Words &words) {
    int removed = 0;
    for (std::uint64_t number = 0; number < words.number(0); ++number) {
        for (const std::string &name : {definitionName(number), valueName(number)})
            removed += unlinkat(directory, name.c_str(), 0) == 0 ? 1 : 0;
    }
    return {{"removed", removed}};
}

int run(const std::string &path) {
    const int directory = open(path.c_str(), O_DIRECTORY | O_CLOEXEC);
    require(directory >= 0, path);
    obey({
        {"write", [&](const Words &words) { return repeat(directory, words); }},
        {"clear", [&](const Words &words) { return removeAll(directory, words); }},
    });
    close(directory);
    return 0;
}

} // namespace

} // namespace keyhold::bench

int main(int argc, char **argv) {
    try {
        if (argc != 2) {
            std::fputs("usage: floor_writes DIRECTORY\n"
                       "Commands: write OPERATION TIMES WRITERS, clear COUNT; see commands.h.\n",
                       stderr);
            return 2;
        }
        return keyhold::bench::run(argv[1]);
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "floor_writes: %s\n", problem.what());
        return 1;
    }
}
