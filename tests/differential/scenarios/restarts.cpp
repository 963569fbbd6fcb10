// SPDX-License-Identifier: LGPL-2.1-or-later
// What a client was answered, against what is there after a restart.
#include "faults.h"
#include "files.h"
#include "phase.h"

#include <cerrno>

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);

void look(Phase &phase) {
    phase.secretFiles("files");
    phase.open();
    phase.memory("memory");
    phase.secretFiles("files after loading");
}

Secret makeEphemeral(Phase &phase) {
    phase.open();
    Definition definition = {.uuid = kOne, .type = "ceph", .id = "n1"};
    Secret secret = phase.defineWithValue("define", definition, "hello");
    definition.ephemeral = "yes";
    phase.define("to ephemeral", definition);
    return secret;
}

void toEphemeral(Phase &phase) {
    makeEphemeral(phase);
    phase.memory("memory");
}

void toEphemeralAndUndefine(Phase &phase) {
    Secret secret = makeEphemeral(phase);
    phase.undefine("undefine", secret);
    phase.memory("memory");
}

void toEphemeralAndSet(Phase &phase) {
    Secret secret = makeEphemeral(phase);
    phase.setValue("set", secret, "other");
    phase.memory("memory");
}

void setEmpty(Phase &phase) {
    phase.open();
    Secret secret = phase.defineWithValue("define", {.uuid = kOne}, "hello");
    phase.setValue("set empty", secret, "");
    phase.memory("memory");
}

void undefineAndDefine(Phase &phase) {
    phase.open();
    Secret secret = phase.defineWithValue("define", {.uuid = kOne}, "hello");
    phase.undefine("undefine", secret);
    phase.define("define again", {.uuid = kOne});
    phase.memory("memory");
}

void everything(Phase &phase) {
    phase.open();
    unsigned number = 0;
    for (const std::string &type : usageTypes()) {
        number++;
        phase.defineWithValue("define " + type,
                              {.uuid = chosenUuid(number), .type = type.c_str(), .id = "/same"},
                              "value of " + type);
    }
    Secret gone = phase.defineWithValue("define one to go", {.uuid = chosenUuid(20)}, "gone");
    phase.defineWithValue("define ephemeral", {.uuid = chosenUuid(21), .ephemeral = "yes"}, "e");
    phase.undefine("undefine", gone);
    phase.memory("memory");
}

void staleTemporaries(Phase &phase) {
    makeDirectories(phase.root() + "/etc/secrets");
    writeFile(phase.file(kOne + ".xml"), toXml({.uuid = kOne}));
    writeFile(phase.file(kOne + ".base64"), base64("hello"));
    writeFile(phase.file(kOne + ".xml.new"), toXml({.uuid = kOne, .description = "new"}));
    writeFile(phase.file(kOne + ".base64.new"), base64("never acknowledged"));
    phase.open();
    phase.memory("memory");
    phase.disk("after loading");
    Secret secret = phase.lookup("lookup", kOne);
    phase.define("redefine", {.uuid = kOne, .description = "again"});
    phase.setValue("set", secret, "other");
    phase.disk("after writing the same files");
}

} // namespace

std::vector<Scenario> restartScenarios() {
    return {{"restarts.everything", {everything, look}},
            {"restarts.to-ephemeral", {toEphemeral, look}},
            {"restarts.to-ephemeral-and-undefine", {toEphemeralAndUndefine, look}},
            {"restarts.to-ephemeral-and-set", {toEphemeralAndSet, look}},
            {"restarts.set-empty", {setEmpty, look}},
            {"restarts.undefine-and-define", {undefineAndDefine, look}},
            {"restarts.stale-temporaries", {staleTemporaries}}};
}

} // namespace keyhold
