// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/libvirt_log.h"

#include "abi/log_text.h"
#include "abi/symbols.h"

#include <new>

namespace keyhold::abi {
namespace {

// libvirt writes priority and serial when its filters have changed, without a lock of ours: it
// calls that race harmless (src/util/virlog.c).
LogSource source = {"secret.keyhold", static_cast<unsigned int>(LogPriority::error), 0};

} // namespace

bool isLogged(LogPriority priority) noexcept {
    auto *write = symbols().virLogMessage;
    if (!write)
        return false;
    // libvirt has no function to ask. Whatever the priority of a line, it first brings the source
    // up to date with its filters; priorities begin at 1, so that this line is never written.
    write(&source, 0, "", 0, "", nullptr, "%s", "");
    return static_cast<unsigned int>(priority) >= source.priority;
}

void log(LogPriority priority, const char *message, const char *file, const char *function,
         unsigned int line) noexcept {
    auto *write = symbols().virLogMessage;
    if (!write)
        return;
    const auto writeText = [&](const char *text) {
        write(&source, static_cast<int>(priority), file, static_cast<int>(line), function, nullptr,
              "%s", text);
    };
    if (isOneLine(message))
        return writeText(message);
    try {
        writeText(oneLine(message).c_str());
    } catch (const std::bad_alloc &) {
        writeText("a line with control characters is not shown: out of memory");
    }
}

} // namespace keyhold::abi
