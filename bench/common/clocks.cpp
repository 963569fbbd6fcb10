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

// In kB, whatever the size of a page (proc(5)).
std::uint64_t statusField(const std::string &field) {
    std::ifstream status("/proc/self/status");
    std::string word;
    std::uint64_t kilobytes = 0;
    while (status >> word) {
        if (word == field && status >> kilobytes)
            break;
    }
    return kilobytes * 1024;
}

} // namespace

Stopwatch::Stopwatch() : wall_(wallNow()), cpu_(cpuNow()) {}

double Stopwatch::wall() const {
    return wallNow() - wall_;
}

double Stopwatch::cpu() const {
    return cpuNow() - cpu_;
}

std::uint64_t residentBytes() {
    return statusField("VmRSS:");
}

std::uint64_t peakResidentBytes() {
    return statusField("VmHWM:");
}

unsigned processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return static_cast<unsigned>(CPU_COUNT(&set));
}

} // namespace keyhold::bench
