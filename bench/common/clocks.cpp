// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/clocks.h"

#include <fstream>
#include <string>

#include <sched.h>
#include <sys/resource.h>
#include <time.h>

namespace keyhold::bench {

namespace {

double secondsOf(const timeval &time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double wallNow() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double cpuNow() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return secondsOf(used.ru_utime) + secondsOf(used.ru_stime);
}

std::uint64_t fieldOf(const char *path, const std::string &field) {
    std::ifstream file(path);
    std::string word;
    std::uint64_t number = 0;
    while (file >> word) {
        if (word == field && file >> number)
            break;
    }
    return number;
}

// In kB, whatever the size of a page (proc(5)).
constexpr std::uint64_t kUnit = 1024;

} // namespace

Stopwatch::Stopwatch() : wall_(wallNow()), cpu_(cpuNow()) {}

double Stopwatch::wall() const {
    return wallNow() - wall_;
}

double Stopwatch::cpu() const {
    return cpuNow() - cpu_;
}

std::uint64_t residentBytes() {
    return fieldOf("/proc/self/status", "VmRSS:") * kUnit;
}

std::uint64_t peakResidentBytes() {
    return fieldOf("/proc/self/status", "VmHWM:") * kUnit;
}

std::uint64_t readCalls() {
    return fieldOf("/proc/self/io", "syscr:");
}

std::uint64_t writeCalls() {
    return fieldOf("/proc/self/io", "syscw:");
}

unsigned processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return static_cast<unsigned>(CPU_COUNT(&set));
}

} // namespace keyhold::bench
