// SPDX-License-Identifier: LGPL-2.1-or-later
// Two processes and one root.
#include "files.h"
#include "phase.h"

namespace keyhold {

namespace {

void holds(Phase &phase) {
    phase.open();
    phase.defineWithValue("define", {.uuid = chosenUuid(1)}, "hello");
    phase.runHelper("second process", 0);
    phase.list("the first process goes on");
    phase.close();
    phase.runHelper("second process after close", 1);
}

void intrudes(Phase &phase) {
    phase.open();
    phase.note("error logged", phase.errorLogged() ? "yes" : "no");
}

void follows(Phase &phase) {
    phase.open();
    phase.memory("memory");
    phase.disk("disk");
}

} // namespace

std::vector<Scenario> processScenarios() {
    return {{"processes.lock", {holds, follows}, {intrudes, intrudes}}};
}

} // namespace keyhold
