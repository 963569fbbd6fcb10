// SPDX-License-Identifier: LGPL-2.1-or-later
// Real file systems that refuse: full, read-only, limited.
#include "files.h"
#include "phase.h"
#include "sandbox.h"

#include <csignal>

#include <sys/resource.h>

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);

void fullDisk(Phase &phase) {
    phase.transcript().maskTemporaryNames();
    makeDirectories(phase.root());
    mountTmpfs(phase.root(), 256);
    phase.open();
    Secret one = phase.defineWithValue("define", {.uuid = kOne, .type = "ceph", .id = "n1"}, "old");
    Secret two = phase.defineWithValue("define another", {.uuid = chosenUuid(2)}, "two");
    try {
        writeFile(phase.root() + "/filler", std::string(1 << 20, 'x'));
    } catch (const std::runtime_error &) {
        // That is the purpose.
    }
    phase.setValue("set", one, "new");
    phase.define("define on a full disk", {.uuid = chosenUuid(3)});
    phase.define("redefine", {.uuid = kOne, .type = "ceph", .id = "n1", .description = "words"});
    phase.define("define ephemeral", {.uuid = chosenUuid(4), .ephemeral = "yes"});
    phase.undefine("undefine", two);
    phase.memory("memory");
    check(std::remove((phase.root() + "/filler").c_str()) == 0, "remove");
    phase.setValue("set when there is room", one, "new");
    phase.secretFiles("files");
}

void copyOut(Phase &phase) {
    phase.open();
    phase.memory("memory");
    phase.disk("disk");
}

void readOnlyMount(Phase &phase) {
    phase.transcript().maskTemporaryNames();
    std::string directory = phase.root() + "/etc/secrets";
    makeDirectories(directory);
    mountItself(directory);
    phase.open();
    Definition definition = {.uuid = kOne, .type = "ceph", .id = "n1"};
    Secret one = phase.defineWithValue("define", definition, "hello");
    Secret two = phase.define("define another", {.uuid = chosenUuid(2)});
    makeReadOnly(directory);
    phase.define("define", {.uuid = chosenUuid(3)});
    phase.define("redefine", {.uuid = kOne, .type = "ceph", .id = "n1", .description = "words"});
    phase.setValue("set", one, "other");
    phase.setValue("set the first value", two, "other");
    phase.undefine("undefine", one);
    phase.memory("memory after failures");
    phase.setValue("set empty", one, "");
    phase.memory("memory after set empty");
    definition.ephemeral = "yes";
    phase.define("to ephemeral", definition);
    Secret ephemeral =
        phase.define("define ephemeral", {.uuid = chosenUuid(4), .ephemeral = "yes"});
    phase.setValue("set ephemeral", ephemeral, "e");
    phase.undefine("undefine ephemeral", ephemeral);
    phase.memory("memory");
    makeWritable(directory);
    phase.secretFiles("files");
}

/// The store is read-only from the start.
void readOnlyOpen(Phase &phase) {
    phase.transcript().maskTemporaryNames();
    std::string directory = phase.root() + "/etc/secrets";
    mountItself(directory);
    makeReadOnly(directory);
    phase.open();
    phase.memory("memory");
    phase.define("define", {.uuid = chosenUuid(5)});
    phase.define("define ephemeral", {.uuid = chosenUuid(6), .ephemeral = "yes"});
}

void prepareReadOnly(Phase &phase) {
    phase.open();
    phase.defineWithValue("define", {.uuid = kOne}, "hello");
}

void fileSizeLimit(Phase &phase) {
    phase.transcript().maskTemporaryNames();
    phase.open();
    Secret one = phase.defineWithValue("define", {.uuid = kOne}, "hello");
    signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    check(getrlimit(RLIMIT_FSIZE, &limit) == 0, "getrlimit");
    rlimit small = {.rlim_cur = 4096, .rlim_max = limit.rlim_max};
    check(setrlimit(RLIMIT_FSIZE, &small) == 0, "setrlimit");
    phase.setValue("set more than fits", one, std::string(10'000, 'x'));
    phase.define("describe more than fits",
                 {.uuid = kOne, .description = std::string(10'000, 'd')});
    phase.setValue("set what fits", one, "other");
    check(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
    phase.memory("memory");
    phase.secretFiles("files");
}

void reload(Phase &phase) {
    phase.open();
    phase.memory("memory");
}

} // namespace

std::vector<Scenario> spaceScenarios() {
    return {{"space.full-disk", {fullDisk, copyOut}, {}, true},
            {"space.read-only-mount", {readOnlyMount, reload}, {}, true},
            {"space.read-only-open", {prepareReadOnly, readOnlyOpen}, {}, true},
            {"space.file-size-limit", {fileSizeLimit, reload}}};
}

} // namespace keyhold
