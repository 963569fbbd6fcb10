// SPDX-License-Identifier: LGPL-2.1-or-later
// What is made of a directory that somebody else wrote.
#include "foreign_store.h"
#include "sandbox.h"

#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

namespace keyhold {

namespace {

const std::string kOne = chosenUuid(1);

void names(Phase &phase) {
    Store store(phase);
    std::string other = toXml({.uuid = chosenUuid(2), .type = "ceph", .id = "other"});
    store.file(kOne + ".xml", other);
    store.file("foo.xml", toXml({.uuid = chosenUuid(3)}));
    store.file("5EC2E700-0000-4000-8000-00000000000A.xml", toXml({.uuid = chosenUuid(10)}));
    store.file(chosenUuid(4) + ".xml", toXml({.type = "ceph", .id = "no uuid"}));
    store.file(chosenUuid(5), toXml({.uuid = chosenUuid(5)}));
    store.file(chosenUuid(6) + ".xml.new", toXml({.uuid = chosenUuid(6)}));
    store.file(chosenUuid(7) + ".base64.new", base64("new"));
    store.file(chosenUuid(8) + ".XML", toXml({.uuid = chosenUuid(8)}));
    store.file(".xml", toXml({.uuid = chosenUuid(9)}));
    store.file("README", "text");
    makeDirectories(phase.file("directory"));
    writeFile(phase.file("directory/" + chosenUuid(11) + ".xml"), toXml({.uuid = chosenUuid(11)}));
    openAndLook(phase);
}

void capitalsInside(Phase &phase) {
    Store store(phase);
    store.file(chosenUuid(10) + ".xml", toXml({.uuid = "5EC2E700-0000-4000-8000-00000000000A"}));
    store.file(chosenUuid(11) + ".xml", toXml({.uuid = "5ec2e70000004000800000000000000b"}));
    openAndLook(phase);
}

void reload(Phase &phase) {
    phase.open();
    phase.memory("memory");
}

void brokenDefinitions(Phase &phase) {
    Store store(phase);
    makeDirectories(phase.file(chosenUuid(1) + ".xml"));
    check(symlink("nowhere", phase.file(chosenUuid(2) + ".xml").c_str()) == 0, "symlink");
    std::string whole = toXml({.uuid = chosenUuid(3), .type = "ceph", .id = "torn"});
    store.file(chosenUuid(3) + ".xml", whole.substr(0, whole.size() / 2));
    store.file(chosenUuid(4) + ".xml", "garbage");
    store.file(chosenUuid(5) + ".xml", "");
    store.file(chosenUuid(6) + ".xml", toXml({.uuid = chosenUuid(6), .type = "bogus", .id = "x"}));
    store.file(chosenUuid(7) + ".xml", "<domain/>");
    store.file(chosenUuid(8) + ".xml", toXml({.uuid = chosenUuid(8), .ephemeral = "maybe"}));
    store.file(chosenUuid(9) + ".xml", toXml({.uuid = chosenUuid(9), .type = "ceph"}));
    openAndLook(phase);
}

void links(Phase &phase) {
    Store store(phase);
    writeFile(phase.scratch("outside.xml"), toXml({.uuid = kOne, .type = "ceph", .id = "linked"}));
    writeFile(phase.scratch("outside.base64"), base64("hello"));
    check(symlink(phase.scratch("outside.xml").c_str(), phase.file(kOne + ".xml").c_str()) == 0,
          "symlink");
    check(symlink(phase.scratch("outside.base64").c_str(), phase.file(kOne + ".base64").c_str()) ==
              0,
          "symlink");
    openAndLook(phase);
}

void modes(Phase &phase) {
    Store store(phase);
    unsigned number = 0;
    for (mode_t mode : {mode_t{0666}, mode_t{0644}, mode_t{0777}, mode_t{0400}}) {
        std::string uuid = chosenUuid(++number);
        store.file(uuid + ".xml", toXml({.uuid = uuid}), mode);
        store.file(uuid + ".base64", base64("hello"), mode);
    }
    check(chown(phase.file(kOne + ".xml").c_str(), 65534, 65534) == 0, "chown");
    check(chown(phase.file(kOne + ".base64").c_str(), 65534, 65534) == 0, "chown");
    openAndLook(phase);
    phase.disk("disk");
    Secret secret = phase.lookup("lookup", chosenUuid(1));
    phase.setValue("set", secret, "other");
    phase.define("redefine", {.uuid = chosenUuid(1), .description = "new"});
    phase.disk("disk after changes");
}

void foreignDirectory(Phase &phase) {
    Store store(phase);
    std::string directory = phase.root() + "/etc/secrets";
    check(chown(directory.c_str(), 65534, 65534) == 0, "chown");
    check(chmod(directory.c_str(), 0770) == 0, "chmod");
    openAndLook(phase);
    phase.defineWithValue("define", {.uuid = kOne}, "hello");
    phase.disk("disk");
}

void sameUsageTwice(Phase &phase) {
    Store store(phase);
    store.secret(1, "the same", base64("hello"));
    store.secret(2, "the same", base64("hello"));
    phase.open();
    phase.note("error logged", phase.errorLogged() ? "yes" : "no");
    // Which one is there depends on the order of the directory.
    phase.attempt("count", [&] { return virConnectNumOfSecrets(phase.connection()); });
    Secret found(
        virSecretLookupByUsage(phase.connection(), VIR_SECRET_USAGE_TYPE_CEPH, "the same"));
    phase.note("found by usage", found ? "yes" : "no");
    phase.getValue("value", found);
}

void ephemeralOnDisk(Phase &phase) {
    Store store(phase);
    store.file(kOne + ".xml", toXml({.uuid = kOne, .ephemeral = "yes"}));
    store.file(kOne + ".base64", base64("hello"));
    openAndLook(phase);
    Secret secret = phase.lookup("lookup", kOne);
    phase.undefine("undefine", secret);
    phase.secretFiles("files");
}

/// What clients make of a secret whose ephemeral definition is on disk.
void changeEphemeralOnDisk(Phase &phase) {
    Store store(phase);
    store.file(kOne + ".xml", toXml({.uuid = kOne, .ephemeral = "yes"}));
    std::string two = chosenUuid(2);
    store.file(two + ".xml", toXml({.uuid = two, .ephemeral = "yes"}));
    store.file(two + ".base64", base64("of the file"));
    openAndLook(phase);
    for (const std::string &uuid : {kOne, two}) {
        phase.define("redefine " + uuid,
                     {.uuid = uuid, .description = "of a client", .ephemeral = "yes"});
        phase.setValue("set " + uuid, phase.lookup("lookup " + uuid, uuid), "of a client");
    }
    phase.memory("memory after changes");
    phase.secretFiles("files after changes");
}

void encodings(Phase &phase) {
    Store store(phase);
    auto described = [](unsigned number, const std::string &declaration, const std::string &text) {
        return declaration + toXml({.uuid = chosenUuid(number), .description = text});
    };
    store.file(chosenUuid(1) + ".xml",
               described(1, "<?xml version='1.0' encoding='ISO-8859-1'?>", "caf\xe9"));
    store.file(chosenUuid(2) + ".xml", described(2, "<!-- by hand -->\n", "commented"));
    store.file(chosenUuid(3) + ".xml", described(3, "\xef\xbb\xbf", "marked"));
    std::string plain = described(4, "<?xml version='1.0' encoding='UTF-16'?>", "wide");
    std::string wide = "\xff\xfe";
    for (char character : plain) {
        wide += character;
        wide += '\0';
    }
    store.file(chosenUuid(4) + ".xml", wide);
    store.file(chosenUuid(5) + ".xml", described(5, "", "caf\xe9"));
    store.file(chosenUuid(6) + ".xml",
               "<!DOCTYPE secret [<!ENTITY e 'expanded'>]>" + described(6, "", "x&e;y"));
    store.file(chosenUuid(7) + ".xml",
               "<!DOCTYPE secret [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>" +
                   described(7, "", "x&e;y"));
    openAndLook(phase);
}

void largeDefinitions(Phase &phase) {
    Store store(phase);
    store.file(chosenUuid(1) + ".xml",
               toXml({.uuid = chosenUuid(1), .description = std::string(9'900'000, 'd')}));
    store.file(chosenUuid(2) + ".xml",
               toXml({.uuid = chosenUuid(2), .description = std::string(10'100'000, 'd')}));
    openAndLook(phase);
}

void manyStrays(Phase &phase) {
    Store store(phase);
    for (unsigned i = 0; i < 500; i++) {
        store.file("stray" + std::to_string(i) + ".tmp", "x");
        store.file("stray" + std::to_string(i) + ".xml", "x");
    }
    openAndLook(phase);
    phase.secretFiles("files");
}

void watch(Phase &phase) {
    Process process(phase.helperArguments(0), phase.errorOutput());
    phase.note("opening", process.waitOrHang());
}

PhaseFunction fifoAs(const std::string &suffix) {
    return [suffix](Phase &phase) {
        Store store(phase);
        store.file(kOne + ".xml", toXml({.uuid = kOne}));
        std::string name = phase.file(kOne + suffix);
        unlink(name.c_str());
        check(mkfifo(name.c_str(), 0600) == 0, "mkfifo");
        watch(phase);
    };
}

} // namespace

std::vector<Scenario> loadingScenarios() {
    return {
        {"loading.names", {names}},
        {"loading.capitals-inside", {capitalsInside}},
        {"loading.broken-definitions", {brokenDefinitions}},
        {"loading.links", {links}},
        {"loading.modes", {modes}},
        {"loading.foreign-directory", {foreignDirectory}},
        {"loading.same-usage-twice", {sameUsageTwice}},
        {"loading.ephemeral-on-disk", {ephemeralOnDisk, reload}},
        {"loading.changed-ephemeral-on-disk", {changeEphemeralOnDisk, reload}},
        {"loading.encodings", {encodings}},
        {"loading.large-definitions", {largeDefinitions}},
        {"loading.many-strays", {manyStrays}},
        {"loading.fifo-definition", {fifoAs(".xml")}, {openAndLook}},
        {"loading.fifo-value", {fifoAs(".base64")}, {openAndLook}},
    };
}

} // namespace keyhold
