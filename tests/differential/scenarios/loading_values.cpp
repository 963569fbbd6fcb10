// SPDX-License-Identifier: LGPL-2.1-or-later
// What is made of value files that somebody else wrote.
#include "foreign_store.h"
#include "sandbox.h"

#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);

void values(Phase &phase) {
    Store store(phase);
    struct Case {
        const char *name;
        std::string_view content;
    };
    // As deployment tools and people write them.
    const std::vector<Case> cases = {
        {"canonical", "aGVsbG8="},
        {"newline at the end", "aGVsbG8=\n"},
        {"CR LF at the end", "aGVsbG8=\r\n"},
        {"newline in the middle", "aGVs\nbG8=\n"},
        {"blanks and tabs", "  aG Vs\tbG8=  \r\n"},
        {"newline between the padding", "aGVsbA=\n=\n"},
        {"many lines", "aGVsbG8gd29ybGQs\nIGhlbGxvIHdvcmxk\n"},
    };
    unsigned number = 0;
    for (const Case &each : cases)
        store.secret(++number, each.name, each.content);
    openAndLook(phase);
}

void damagedValues(Phase &phase) {
    Store store(phase);
    struct Case {
        const char *name;
        std::string_view content;
    };
    const std::vector<Case> cases = {
        {"no padding", "aGVsbG8"},
        {"truncated", "aGVsb"},
        {"junk inside", "aGVs#bG8="},
        {"twice", "aGVsbG8=aGVsbG8="},
        {"NUL inside", std::string_view("aGVs\0bG8=", 9)},
        {"only garbage", "#!?"},
        {"not base64", "not base64!!"},
        {"url-safe alphabet", "-_-_"},
        {"bits beyond the end", "aGVsbG9="},
        {"too much padding", "aGVsbG8=="},
        {"one character", "a"},
        {"padding only", "===="},
        {"vertical tab inside", "aGVs\vbG8="},
        {"byte order mark", "\xef\xbb\xbf"
                            "aGVsbG8="},
    };
    unsigned number = 0;
    for (const Case &each : cases)
        store.secret(++number, each.name, each.content);
    openAndLook(phase);
    Secret secret = phase.lookup("lookup one", kOne);
    phase.setValue("set it again", secret, "repaired");
    phase.getValue("get", secret);
    phase.secretFiles("files");
}

void blankValues(Phase &phase) {
    Store store(phase);
    store.secret(1, "empty", "");
    store.secret(2, "newline", "\n");
    store.secret(3, "blanks", "  \t\r\n");
    store.secret(4, "device", "");
    check(unlink(phase.file(chosenUuid(4) + ".base64").c_str()) == 0, "unlink");
    check(symlink("/dev/null", phase.file(chosenUuid(4) + ".base64").c_str()) == 0, "symlink");
    openAndLook(phase);
}

void reload(Phase &phase) {
    phase.open();
    phase.memory("memory");
}

void unreadableValue(Phase &phase) {
    Store store(phase);
    store.secret(1, "a directory for a value", "");
    check(unlink(phase.file(kOne + ".base64").c_str()) == 0, "unlink");
    makeDirectories(phase.file(kOne + ".base64"));
    store.file(chosenUuid(2) + ".xml", toXml({.uuid = chosenUuid(2)}));
    check(symlink("loop", phase.file("loop").c_str()) == 0, "symlink");
    check(symlink("loop", phase.file(chosenUuid(2) + ".base64").c_str()) == 0, "symlink");
    openAndLook(phase);
}

void forbiddenFiles(Phase &phase) {
    Store store(phase);
    store.secret(1, "value of mode 0", base64("hello"));
    store.secret(2, "definition of mode 0", base64("hello"));
    check(chmod(phase.file(chosenUuid(1) + ".base64").c_str(), 0) == 0, "chmod");
    check(chmod(phase.file(chosenUuid(2) + ".xml").c_str(), 0) == 0, "chmod");
    std::string own = "chown -R 65534:65534 '" + phase.root() + "'";
    check(std::system(own.c_str()) == 0, own);
    becomeNobody();
    openAndLook(phase);
}

void orphanValue(Phase &phase) {
    Store store(phase);
    store.file(kOne + ".base64", base64("somebody else's"));
    openAndLook(phase);
    phase.secretFiles("files");
    Secret secret = phase.define("define its uuid", {.uuid = kOne});
    phase.getValue("get", secret);
    phase.secretFiles("files after define");
}

void sparseValue(Phase &phase) {
    Store store(phase);
    store.secret(1, "sparse", "");
    check(truncate(phase.file(kOne + ".base64").c_str(), off_t{256} << 20) == 0, "truncate");
    openAndLook(phase);
    check(unlink(phase.file(kOne + ".base64").c_str()) == 0, "unlink");
}

} // namespace

std::vector<Scenario> valueFileScenarios() {
    return {
        {"loading.values", {values}},
        {"loading.damaged-values", {damagedValues, reload}},
        {"loading.blank-values", {blankValues}},
        {"loading.unreadable-value", {unreadableValue}},
        {"loading.forbidden-files", {forbiddenFiles}},
        {"loading.orphan-value", {orphanValue, reload}},
        {"loading.sparse-value", {sparseValue}},
    };
}

} // namespace keyhold
