// SPDX-License-Identifier: LGPL-2.1-or-later
// Defining what is defined already.
#include "phase.h"

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);
const std::string kTwo = chosenUuid(2);

void sameUsage(Phase &phase) {
    phase.open();
    Definition definition = {.uuid = kOne, .type = "ceph", .id = "n1", .description = "one"};
    Secret first = phase.defineWithValue("define", definition, "hello");
    phase.define("identical", definition);
    phase.memory("after identical");
    definition.description = "two";
    phase.define("other description", definition);
    phase.memory("after other description");
    definition.description = "";
    phase.define("description removed", definition);
    phase.memory("after description removed");
    phase.disk("disk");
    phase.dump("the first handle sees it", first);
}

void sameUsageReloaded(Phase &phase) {
    phase.open();
    phase.memory("memory");
}

void otherUsage(Phase &phase) {
    phase.open();
    phase.defineWithValue("define", {.uuid = kOne, .type = "ceph", .id = "n1"}, "hello");
    phase.define("other id", {.uuid = kOne, .type = "ceph", .id = "n2"});
    phase.define("usage removed", {.uuid = kOne});
    phase.define("other id and type", {.uuid = kOne, .type = "iscsi", .id = "n2"});
    phase.define("id in capitals", {.uuid = kOne, .type = "ceph", .id = "N1"});
    phase.define("define without usage", {.uuid = kTwo});
    phase.define("usage added", {.uuid = kTwo, .type = "ceph", .id = "n9"});
    phase.memory("memory");
    phase.disk("disk");
}

void takenUsage(Phase &phase) {
    phase.open();
    phase.define("define", {.uuid = kOne, .type = "ceph", .id = "n1"});
    phase.define("other uuid", {.uuid = kTwo, .type = "ceph", .id = "n1"});
    phase.define("no uuid", {.type = "ceph", .id = "n1"});
    phase.define("other uuid, ephemeral",
                 {.uuid = kTwo, .type = "ceph", .id = "n1", .ephemeral = "yes"});
    phase.define("other uuid, other type", {.uuid = kTwo, .type = "iscsi", .id = "n1"});
    phase.define("other uuid, none", {.uuid = chosenUuid(3)});
    phase.define("other uuid, none again", {.uuid = chosenUuid(4)});
    phase.memory("memory");
}

void freedUsage(Phase &phase) {
    phase.open();
    Secret first = phase.define("define", {.uuid = kOne, .type = "ceph", .id = "n1"});
    phase.undefine("undefine", first);
    phase.define("the usage is free", {.uuid = kTwo, .type = "ceph", .id = "n1"});
    phase.memory("memory");
}

void otherType(Phase &phase) {
    phase.open();
    Secret first =
        phase.defineWithValue("define", {.uuid = kOne, .type = "ceph", .id = "n1"}, "hello");
    phase.define("same id, other type", {.uuid = kOne, .type = "iscsi", .id = "n1"});
    phase.memory("memory");
    phase.lookupByUsage("lookup by the old type", VIR_SECRET_USAGE_TYPE_CEPH, "n1");
    phase.lookupByUsage("lookup by the new type", VIR_SECRET_USAGE_TYPE_ISCSI, "n1");
    phase.note("the old handle keeps its usage", render(first.get()));
    phase.define("the old type is free", {.uuid = kTwo, .type = "ceph", .id = "n1"});
    phase.memory("memory at the end");
}

void otherTypeReloaded(Phase &phase) {
    phase.open();
    phase.memory("memory");
}

void otherTypeTaken(Phase &phase) {
    phase.open();
    phase.defineWithValue("define", {.uuid = kOne, .type = "ceph", .id = "n1"}, "one");
    phase.defineWithValue("define the other", {.uuid = kTwo, .type = "iscsi", .id = "n1"}, "two");
    phase.define("take the other's type", {.uuid = kOne, .type = "iscsi", .id = "n1"});
    phase.memory("memory");
    phase.disk("disk");
    phase.attempt("count", [&] { return virConnectNumOfSecrets(phase.connection()); });
}

// Which of the two is lost depends on the order of the directory.
void otherTypeTakenReloaded(Phase &phase) {
    phase.open();
    phase.attempt("count", [&] { return virConnectNumOfSecrets(phase.connection()); });
}

void privateFlag(Phase &phase) {
    phase.open();
    phase.defineWithValue("define private",
                          {.uuid = kOne, .type = "ceph", .id = "n1", .isPrivate = "yes"}, "one");
    phase.define("to public", {.uuid = kOne, .type = "ceph", .id = "n1", .isPrivate = "no"});
    phase.define("attribute left out", {.uuid = kOne, .type = "ceph", .id = "n1"});
    phase.define("other id wins over private", {.uuid = kOne, .type = "ceph", .id = "n2"});
    phase.defineWithValue("define public", {.uuid = kTwo, .type = "ceph", .id = "n2"}, "two");
    phase.define("to private", {.uuid = kTwo, .type = "ceph", .id = "n2", .isPrivate = "yes"});
    phase.memory("memory");
    phase.disk("disk");
}

void toEphemeral(Phase &phase) {
    phase.open();
    Definition definition = {.uuid = kOne, .type = "ceph", .id = "n1"};
    phase.defineWithValue("define", definition, "hello");
    definition.ephemeral = "yes";
    phase.define("to ephemeral", definition);
    phase.memory("memory");
    phase.disk("disk");
    phase.define("ephemeral again", definition);
    phase.memory("memory of the ephemeral one");
    phase.disk("disk, ephemeral");
}

void fromEphemeral(Phase &phase) {
    phase.open();
    Definition definition = {.uuid = kOne, .type = "ceph", .id = "n1", .ephemeral = "yes"};
    phase.defineWithValue("define", definition, "hello");
    phase.disk("disk while ephemeral");
    definition.ephemeral = "no";
    phase.define("to persistent", definition);
    phase.memory("memory");
    phase.disk("disk");
    definition = {.uuid = kTwo, .ephemeral = "yes"};
    phase.define("define without a value", definition);
    definition.ephemeral = nullptr;
    phase.define("to persistent without a value", definition);
    phase.disk("disk, without a value");
}

void fromEphemeralReloaded(Phase &phase) {
    phase.open();
    phase.memory("memory");
}

void refusedToEphemeral(Phase &phase) {
    phase.open();
    phase.defineWithValue("define", {.uuid = kOne, .type = "ceph", .id = "n1"}, "hello");
    phase.define("to ephemeral with another id",
                 {.uuid = kOne, .type = "ceph", .id = "n2", .ephemeral = "yes"});
    phase.memory("memory");
    phase.disk("disk");
}

} // namespace

std::vector<Scenario> redefiningScenarios() {
    return {
        {"redefining.same-usage", {sameUsage, sameUsageReloaded}},
        {"redefining.other-usage", {otherUsage}},
        {"redefining.taken-usage", {takenUsage}},
        {"redefining.freed-usage", {freedUsage}},
        {"redefining.other-type", {otherType, otherTypeReloaded}},
        {"redefining.other-type-taken", {otherTypeTaken, otherTypeTakenReloaded}},
        {"redefining.private-flag", {privateFlag}},
        {"redefining.to-ephemeral", {toEphemeral}},
        {"redefining.from-ephemeral", {fromEphemeral, fromEphemeralReloaded}},
        {"redefining.refused-to-ephemeral", {refusedToEphemeral}},
    };
}

} // namespace keyhold
