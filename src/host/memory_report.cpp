// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/memory_report.h"

#include "conf/error.h"
#include "seal/guarded_memory.h"
#include "seal/key_memory.h"
#include "seal/scratch.h"

#include <atomic>
#include <exception>
#include <string>

namespace keyhold {

namespace {

/// Empty if nothing is less than was asked for.
std::string describeMemory() {
    const key_memory::Report report = key_memory::report();
    const bool isLocked = GuardedMemory::memoryIsLocked();
    std::string text;
    if (!report.reason.empty())
        text = std::string("keys rest in ") + nameOf(report.kind) + " memory: " + report.reason;
    if (!isLocked)
        text += (text.empty() ? "" : "; ") + std::string("plain values in use are not locked");
    if (!isLocked || report.kind == KeyMemoryKind::unlocked)
        text += "; they may be swapped out: raise the limit of locked memory (RLIMIT_MEMLOCK)";
    else if (!text.empty())
        text += "; boot with secretmem.enable=1, or set key_memory = \"locked\" in secret.conf";
    return text;
}

} // namespace

void tellMemory(Journal &journal) noexcept {
    static constinit std::atomic<bool> isTold{false};
    try {
        const std::string text = describeMemory();
        if (!text.empty() && !isTold.exchange(true))
            journal.warning(text);
    } catch (const std::exception &exception) {
        journal.error(std::string("memory for keys and plain values: ") + exception.what());
    }
}

} // namespace keyhold
