// SPDX-License-Identifier: LGPL-2.1-or-later
// The floor of a load: lists a directory, and opens, asks, reads and closes every file in it, with
// all processors. Nothing is made of what is read.
#include "common/clocks.h"
#include "common/commands.h"
#include "common/threads.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace keyhold::bench {

namespace {

constexpr std::size_t kStep = 64; // files that a thread takes at once

/// The names, one after the other with their NULs: no allocation for each.
struct Names {
    std::vector<char> text;
    std::vector<std::size_t> begins;
};

Names list(int directory) {
    const std::unique_ptr<DIR, int (*)(DIR *)> stream(fdopendir(dup(directory)), closedir);
    if (!stream)
        throw std::system_error(errno, std::generic_category(), "list");
    Names names;
    while (const dirent *entry = readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..")
            continue;
        names.begins.push_back(names.text.size());
        names.text.insert(names.text.end(), name.begin(), name.end());
        names.text.push_back('\0');
    }
    return names;
}

std::size_t readOne(int directory, const char *name) {
    const int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        throw std::system_error(errno, std::generic_category(), name);
    struct stat status {};
    std::array<char, 4096> buffer;
    const bool isKnown = fstat(file, &status) == 0;
    const ssize_t size = read(file, buffer.data(), buffer.size());
    close(file);
    if (!isKnown || size < 0)
        throw std::system_error(errno, std::generic_category(), name);
    return static_cast<std::size_t>(size);
}

Figures readAll(const std::string &path) {
    const Stopwatch watch;
    const int directory = open(path.c_str(), O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        throw std::system_error(errno, std::generic_category(), path);
    const Names names = list(directory);
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> bytes{0};
    timeThreads(processors(), [&](unsigned) {
        std::size_t sum = 0;
        for (std::size_t begin = next.fetch_add(kStep); begin < names.begins.size();
             begin = next.fetch_add(kStep)) {
            const std::size_t end = std::min(begin + kStep, names.begins.size());
            for (std::size_t i = begin; i < end; ++i)
                sum += readOne(directory, names.text.data() + names.begins[i]);
        }
        bytes += sum;
    });
    close(directory);
    return {{"wall", watch.wall()},
            {"cpu", watch.cpu()},
            {"files", static_cast<double>(names.begins.size())},
            {"bytes", static_cast<double>(bytes)}};
}

} // namespace

} // namespace keyhold::bench

int main(int argc, char **argv) {
    using namespace keyhold::bench;
    try {
        if (argc != 2) {
            std::fputs("usage: floor_reads DIRECTORY\n", stderr);
            return 2;
        }
        printFigures(readAll(argv[1]));
        return 0;
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "floor_reads: %s\n", problem.what());
        return 1;
    }
}
