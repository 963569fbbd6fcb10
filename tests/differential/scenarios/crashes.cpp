// SPDX-License-Identifier: LGPL-2.1-or-later
// What must not end the process. These run exactly as any client would, with the inhibit callback
// that libvirt gives in embedded mode: none.
#include "faults.h"
#include "inhibit.h"
#include "phase.h"

#include <cerrno>

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);

void undefine(Phase &phase) {
    inhibit::choose(inhibit::Mode::leaveNull);
    phase.open();
    Secret secret = phase.defineWithValue("define", {.uuid = kOne}, "hello");
    phase.undefine("undefine", secret);
    phase.list("list");
}

void failingUndefine(Phase &phase) {
    inhibit::choose(inhibit::Mode::leaveNull);
    phase.open();
    Secret secret = phase.defineWithValue("define", {.uuid = kOne}, "hello");
    faults::arm(phase.file(""),
                {.call = faults::Call::remove, .name = kOne + ".xml", .error = EIO});
    phase.undefine("undefine", secret);
    faults::disarm();
    phase.list("list");
}

void staleUndefine(Phase &phase) {
    inhibit::choose(inhibit::Mode::leaveNull);
    phase.open();
    Secret ephemeral = phase.define("define", {.uuid = kOne});
    unsigned char uuid[VIR_UUID_BUFLEN] = {};
    virSecretGetUUID(ephemeral.get(), uuid);
    phase.undefine("undefine", ephemeral);
    phase.undefine("undefine again", ephemeral);
}

void defineEphemeral(Phase &phase) {
    inhibit::choose(inhibit::Mode::leaveNull);
    phase.open();
    Secret secret = phase.define("define", {.uuid = kOne, .ephemeral = "yes"});
    phase.setValue("set", secret, "hello");
    phase.define("define another", {.uuid = chosenUuid(2)});
    phase.defineXml("fail to define", "<secret>");
    phase.undefine("undefine", secret);
    phase.list("list");
}

void reload(Phase &phase) {
    inhibit::choose(inhibit::Mode::leaveNull);
    phase.open();
    phase.memory("memory");
}

} // namespace

std::vector<Scenario> crashScenarios() {
    return {{"crashes.undefine", {undefine, reload}},
            {"crashes.failing-undefine", {failingUndefine, reload}},
            {"crashes.stale-undefine", {staleUndefine, reload}},
            {"crashes.define-ephemeral", {defineEphemeral, reload}}};
}

} // namespace keyhold
