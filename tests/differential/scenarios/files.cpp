// SPDX-License-Identifier: LGPL-2.1-or-later
// Names, modes and contents on disk, and what is asked of the system for them.
#include "files.h"

#include "faults.h"
#include "phase.h"

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);

void namesAndModes(Phase &phase) {
    phase.open();
    Secret one = phase.define("define", {.uuid = kOne, .type = "ceph", .id = "n1"});
    phase.disk("defined");
    phase.setValue("set", one,
                   "hello world, and more than one line of base64 would ever take: "
                   "0123456789012345678901234567890123456789");
    phase.disk("with value");
    Secret two = phase.defineWithValue("define ephemeral",
                                       {.uuid = chosenUuid(2), .ephemeral = "yes"}, "hello");
    phase.disk("with an ephemeral one");
    phase.undefine("undefine", one);
    phase.undefine("undefine ephemeral", two);
    phase.disk("undefined");
}

void alphabet(Phase &phase) {
    phase.open();
    Secret secret = phase.define("define", {.uuid = kOne});
    phase.setValue("set", secret, std::string_view("\xfb\xff\xfe\x3e\x3f\x00\x10", 7));
    phase.secretFiles("files");
}

template <typename Work>
void trace(Phase &phase, const std::string &key, Work work) {
    faults::startTrace(phase.file(""));
    work();
    faults::Trace trace = faults::stopTrace();
    phase.note(key + ", files synced", trace.fileSyncs > 0 ? "yes" : "no");
    phase.note(key + ", directory synced", trace.directorySyncs > 0 ? "yes" : "no");
    phase.note(key + ", descriptors a child would inherit", trace.inheritable > 0 ? "yes" : "no");
}

void syncs(Phase &phase) {
    phase.open();
    Secret secret;
    Definition definition = {.uuid = kOne, .type = "ceph", .id = "n1"};
    trace(phase, "define", [&] { secret = phase.define("define", definition); });
    trace(phase, "redefine", [&] { phase.define("redefine", definition); });
    trace(phase, "set", [&] { phase.setValue("set", secret, "hello"); });
    trace(phase, "get", [&] { phase.getValue("get", secret); });
    trace(phase, "dump", [&] { phase.dump("dump", secret); });
    definition.ephemeral = "yes";
    trace(phase, "to ephemeral", [&] { phase.define("to ephemeral", definition); });
    trace(phase, "set ephemeral", [&] { phase.setValue("set ephemeral", secret, "other"); });
    definition.ephemeral = "no";
    trace(phase, "to persistent", [&] { phase.define("to persistent", definition); });
    trace(phase, "undefine", [&] { phase.undefine("undefine", secret); });
}

void loads(Phase &phase) {
    makeDirectories(phase.root() + "/etc/secrets");
    writeFile(phase.file(kOne + ".xml"), toXml({.uuid = kOne}));
    writeFile(phase.file(kOne + ".base64"), base64("hello"));
    trace(phase, "open", [&] { phase.open(); });
}

void vanished(Phase &phase) {
    phase.open();
    Secret secret = phase.defineWithValue("define", {.uuid = kOne}, "hello");
    check(std::remove(phase.file(kOne + ".xml").c_str()) == 0, "remove");
    check(std::remove(phase.file(kOne + ".base64").c_str()) == 0, "remove");
    phase.memory("files removed by somebody else");
    phase.undefine("undefine", secret);
    phase.list("list");
}

void comesBack(Phase &phase) {
    phase.open();
    Secret secret = phase.defineWithValue("define", {.uuid = kOne}, "hello");
    check(std::remove(phase.file(kOne + ".xml").c_str()) == 0, "remove");
    check(std::remove(phase.file(kOne + ".base64").c_str()) == 0, "remove");
    phase.define("define again", {.uuid = kOne, .description = "again"});
    phase.secretFiles("after define");
    phase.setValue("set", secret, "new");
    phase.secretFiles("after set");
}

/// A document written into the store by hand and then given to the driver, as some guides do.
void definedInPlace(Phase &phase) {
    phase.open();
    std::string xml = "<secret ephemeral='no' private='no'>\n  <uuid>" + kOne +
                      "</uuid>\n  <usage type='ceph'>\n    <name>client.x secret</name>\n"
                      "  </usage>\n</secret>\n";
    writeFile(phase.file(kOne + ".xml"), xml, 0644);
    Secret secret = phase.defineXml("define", xml);
    phase.setValue("set", secret, "hello");
    phase.memory("memory");
    phase.disk("disk");
}

} // namespace

std::vector<Scenario> fileScenarios() {
    return {{"files.names-and-modes", {namesAndModes}},
            {"files.alphabet", {alphabet}},
            {"files.syncs", {syncs}},
            {"files.loads", {loads}},
            {"files.vanished", {vanished}},
            {"files.come-back", {comesBack}},
            {"files.defined-in-place", {definedInPlace}}};
}

} // namespace keyhold
