// SPDX-License-Identifier: LGPL-2.1-or-later
// Finding a secret by uuid and by usage, and what a handle is worth after a change.
#include "phase.h"

#include <cstdlib>

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);
const std::string kTwo = chosenUuid(2);

void defineThree(Phase &phase) {
    phase.open();
    phase.define("define ceph", {.uuid = kOne, .type = "ceph", .id = "n1"});
    phase.define("define volume", {.uuid = kTwo, .type = "volume", .id = "/v"});
    phase.define("define without usage", {.uuid = chosenUuid(3)});
}

void byUuid(Phase &phase) {
    defineThree(phase);
    virConnectPtr connection = phase.connection();
    phase.lookup("hit", kOne);
    phase.lookup("miss", chosenUuid(99));
    phase.lookup("in capitals", "5EC2E700-0000-4000-8000-000000000001");
    phase.lookup("leading blank", " " + kOne);
    phase.lookup("trailing blank", kOne + " ");
    phase.lookup("without dashes", "5ec2e700000040008000000000000001");
    phase.lookup("malformed", "nope");
    phase.lookup("empty", "");
    phase.lookup("too long", kOne + "0");
    phase.attempt("NULL text", [&] { return virSecretLookupByUUIDString(connection, nullptr); });
    phase.attempt("NULL bytes", [&] { return virSecretLookupByUUID(connection, nullptr); });
    phase.attempt("NULL connection",
                  [&] { return virSecretLookupByUUIDString(nullptr, kOne.c_str()); });
    unsigned char bytes[VIR_UUID_BUFLEN] = {};
    phase.attempt("bytes, miss", [&] { return virSecretLookupByUUID(connection, bytes); });
    Secret secret = phase.lookup("hit again", kOne);
    phase.attempt("uuid of it", [&] { return virSecretGetUUID(secret.get(), bytes); });
    Secret same(
        phase.attempt("bytes, hit", [&] { return virSecretLookupByUUID(connection, bytes); }));
    phase.note("its connection is ours",
               virSecretGetConnect(secret.get()) == connection ? "yes" : "no");
    phase.attempt("its usage type", [&] { return virSecretGetUsageType(secret.get()); });
    phase.attempt("its usage id", [&] { return virSecretGetUsageID(secret.get()); });
}

void byUsage(Phase &phase) {
    defineThree(phase);
    phase.lookupByUsage("hit", VIR_SECRET_USAGE_TYPE_CEPH, "n1");
    phase.lookupByUsage("hit of a volume", VIR_SECRET_USAGE_TYPE_VOLUME, "/v");
    phase.lookupByUsage("right id, other type", VIR_SECRET_USAGE_TYPE_ISCSI, "n1");
    phase.lookupByUsage("in capitals", VIR_SECRET_USAGE_TYPE_CEPH, "N1");
    phase.lookupByUsage("prefix", VIR_SECRET_USAGE_TYPE_CEPH, "n");
    phase.lookupByUsage("with blank", VIR_SECRET_USAGE_TYPE_CEPH, "n1 ");
    phase.lookupByUsage("empty id", VIR_SECRET_USAGE_TYPE_CEPH, "");
    phase.lookupByUsage("type none", VIR_SECRET_USAGE_TYPE_NONE, "n1");
    phase.lookupByUsage("type none, empty id", VIR_SECRET_USAGE_TYPE_NONE, "");
    phase.lookupByUsage("type 99", 99, "n1");
    phase.lookupByUsage("type -1", -1, "n1");
    phase.lookupByUsage("NULL id", VIR_SECRET_USAGE_TYPE_CEPH, nullptr);
    phase.lookupByUsage("format characters in the id", VIR_SECRET_USAGE_TYPE_CEPH, "%s%n%d");
    phase.attempt("NULL connection", [&] {
        return virSecretLookupByUsage(nullptr, VIR_SECRET_USAGE_TYPE_CEPH, "n1");
    });
}

void staleHandle(Phase &phase) {
    phase.open();
    Secret secret =
        phase.defineWithValue("define", {.uuid = kOne, .type = "ceph", .id = "n1"}, "hello");
    phase.undefine("undefine", secret);
    phase.getValue("get", secret);
    phase.setValue("set", secret, "other");
    phase.dump("dump", secret);
    phase.undefine("undefine again", secret);
    phase.note("the handle still says", render(secret.get()));
    phase.lookup("lookup", kOne);
    phase.lookupByUsage("lookup by usage", VIR_SECRET_USAGE_TYPE_CEPH, "n1");
    phase.define("define the uuid again", {.uuid = kOne, .type = "iscsi", .id = "t1"});
    phase.dump("dump of the new one", secret);
    phase.setValue("set of the new one", secret, "new");
    phase.getValue("get of the new one", secret);
    phase.note("the handle keeps its usage", render(secret.get()));
    phase.memory("memory");
}

void arguments(Phase &phase) {
    phase.open();
    Secret secret = phase.defineWithValue("define", {.uuid = kOne}, "hello");
    for (unsigned int flags : {1U, 0x80000000U, 0xffffffffU}) {
        std::free(phase.attempt("dump with flags " + std::to_string(flags),
                                [&] { return virSecretGetXMLDesc(secret.get(), flags); }));
    }
    phase.attempt("dump of NULL", [&] { return virSecretGetXMLDesc(nullptr, 0); });
    phase.attempt("undefine of NULL", [&] { return virSecretUndefine(nullptr); });
    phase.attempt("free of NULL", [&] { return virSecretFree(nullptr); });
    phase.attempt("reference to NULL", [&] { return virSecretRef(nullptr); });
    phase.attempt("usage type of NULL", [&] { return virSecretGetUsageType(nullptr); });
    phase.attempt("usage id of NULL", [&] { return virSecretGetUsageID(nullptr); });
    phase.attempt("connection of NULL", [&] { return virSecretGetConnect(nullptr); });
    phase.attempt("close of NULL", [&] { return virConnectClose(nullptr); });
}

} // namespace

std::vector<Scenario> lookupScenarios() {
    return {{"lookups.by-uuid", {byUuid}},
            {"lookups.by-usage", {byUsage}},
            {"lookups.stale-handle", {staleHandle}},
            {"lookups.arguments", {arguments}}};
}

} // namespace keyhold
