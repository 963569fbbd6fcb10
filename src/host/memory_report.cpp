// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/memory_report.h"

#include "seal/guarded_memory.h"
#include "seal/key_memory.h"

#include <atomic>
#include <exception>
#include <optional>
#include <string>

namespace keyhold {

namespace {

/// What may be less than was asked for, one bit each.
constexpr unsigned kKeys = 1;
constexpr unsigned kPlainValues = 2;

std::string describe(unsigned less, const std::optional<key_memory::Report> &report) {
    std::string text;
    if ((less & kKeys) != 0)
        text = std::string("keys rest in ") + keyMemoryKindName(report->kind) +
               " memory: " + report->reason;
    if ((less & kPlainValues) != 0)
        text += (text.empty() ? "" : "; ") + std::string("plain values in use are not locked");
    if ((less & kPlainValues) != 0 || report->kind == KeyMemoryKind::unlocked)
        text += "; they may be swapped out: raise the limit of locked memory (RLIMIT_MEMLOCK)";
    else
        text += "; boot with secretmem.enable=1, or set key_memory = \"locked\" in secret.conf";
    return text;
}

} // namespace

void tellMemory(AdminLog &log) noexcept {
    static constinit std::atomic<unsigned> told{0};
    if (told == (kKeys | kPlainValues))
        return;
    unsigned fresh = 0;
    try {
        const std::optional<key_memory::Report> report = key_memory::report();
        const unsigned less = (report && !report->reason.empty() ? kKeys : 0) |
                              (GuardedMemory::memoryIsLocked() ? 0 : kPlainValues);
        fresh = less & ~told.fetch_or(less);
        if (fresh != 0)
            log.warning(describe(fresh, report));
    } catch (const std::exception &exception) {
        told.fetch_and(~fresh); // it is told at the next call
        log.failure("memory for keys and plain values: ", exception);
    }
}

} // namespace keyhold
