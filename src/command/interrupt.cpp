// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/interrupt.h"

#include <csignal>
#include <initializer_list>

namespace keyhold::command {

namespace {

// Set by a signal handler.
volatile std::sig_atomic_t hasCome = 0;

void interrupt(int /*number*/) {
    hasCome = 1;
}

} // namespace

void catchInterrupts() {
    struct sigaction action {};
    action.sa_handler = interrupt;
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction inherited {};
        ::sigaction(number, nullptr, &inherited);
        if (inherited.sa_handler != SIG_IGN)
            ::sigaction(number, &action, nullptr);
    }
}

bool isInterrupted() noexcept {
    return hasCome != 0;
}

} // namespace keyhold::command
