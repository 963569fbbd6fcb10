// SPDX-License-Identifier: LGPL-2.1-or-later
// When the driver asks its host not to shut down, with a callback that libvirtd would give it.
#include "inhibit.h"
#include "phase.h"

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);
const std::string kTwo = chosenUuid(2);

void noteCalls(Phase &phase, const std::string &key) {
    phase.note("calls after " + key, inhibit::takeCalls());
}

void ephemeralSecrets(Phase &phase) {
    inhibit::choose(inhibit::Mode::count);
    phase.open();
    noteCalls(phase, "open");
    Secret persistent = phase.define("define persistent", {.uuid = chosenUuid(9)});
    noteCalls(phase, "a persistent one");
    Definition definition = {.uuid = kOne, .ephemeral = "yes"};
    Secret one = phase.define("define ephemeral", definition);
    noteCalls(phase, "the first ephemeral one");
    phase.define("redefine ephemeral", definition);
    noteCalls(phase, "its redefinition");
    Secret two = phase.define("define another ephemeral", {.uuid = kTwo, .ephemeral = "yes"});
    noteCalls(phase, "the second ephemeral one");
    phase.define("redefine persistent", {.uuid = chosenUuid(9)});
    noteCalls(phase, "a persistent one beside them");
    phase.defineXml("fail to define", "<secret>");
    noteCalls(phase, "a failed define");
    phase.undefine("undefine one", one);
    noteCalls(phase, "undefining one");
    phase.undefine("undefine one again", one);
    noteCalls(phase, "undefining it again");
    phase.undefine("undefine the other", two);
    noteCalls(phase, "undefining the other");
    phase.undefine("undefine persistent", persistent);
    noteCalls(phase, "undefining the persistent one");
}

void conversions(Phase &phase) {
    inhibit::choose(inhibit::Mode::count);
    phase.open();
    Definition definition = {.uuid = kOne, .ephemeral = "yes"};
    Secret one = phase.define("define ephemeral", definition);
    noteCalls(phase, "define");
    definition.ephemeral = "no";
    phase.define("to persistent", definition);
    noteCalls(phase, "to persistent");
    definition.ephemeral = "yes";
    phase.define("to ephemeral", definition);
    noteCalls(phase, "to ephemeral");
    phase.undefine("undefine", one);
    noteCalls(phase, "undefine");
}

} // namespace

std::vector<Scenario> inhibitorScenarios() {
    return {{"inhibitors.ephemeral-secrets", {ephemeralSecrets}},
            {"inhibitors.conversions", {conversions}}};
}

} // namespace keyhold
