// SPDX-License-Identifier: LGPL-2.1-or-later
// Opening an embedded root: what is created, what is refused, and how.
#include "files.h"
#include "phase.h"
#include "sandbox.h"

#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

namespace keyhold {

namespace {

void createsRoot(Phase &phase) {
    phase.open();
    phase.disk("after open");
    bool ours = readFile(phase.root() + "/run/secrets/driver.pid") == std::to_string(getpid());
    phase.note("the pid is that of this process", ours ? "yes" : "no");
    phase.note("error logged", phase.errorLogged() ? "yes" : "no");
    phase.close();
    phase.disk("after close");
}

// Each of these fails before or in the module, and may spoil the process for later opens, so each
// runs in a process of its own.
PhaseFunction opens(const std::string &uri) {
    return [uri](Phase &phase) {
        std::string full = uri;
        if (std::size_t at = full.find("ROOT"); at != std::string::npos)
            full.replace(at, 4, phase.root());
        phase.openUri("open " + uri, full);
        phase.note("error logged", phase.errorLogged() ? "yes" : "no");
    };
}

std::vector<PhaseFunction> opensEach(const std::vector<std::string> &uris) {
    std::vector<PhaseFunction> phases;
    for (const std::string &uri : uris)
        phases.push_back(opens(uri));
    return phases;
}

/// What the driver answers once it is in the process.
void otherUris(Phase &phase) {
    phase.open();
    for (const char *uri :
         {"secret:///embed", "secret:///embed?foo=bar",
          "secret:///embed?root=", "secret:///embed?root=relative", "secret:", "secret:/",
          "secret:///", "secret:///system", "secret:///session", "secret:///bogus", "secret:embed",
          "secret:///embed?socket=/nowhere", "secret:///bogus?root=/nowhere"}) {
        phase.openUri(std::string("open ") + uri, uri);
    }
    phase.openUri("open secret:///system with the root", "secret:///system?root=" + phase.root());
    phase.list("the first connection goes on");
}

void otherUrisAfterFailure(Phase &phase) {
    phase.openUri("open without a root", "secret:///embed");
    for (const char *uri : {"secret:///embed", "secret:///embed?foo=bar"})
        phase.openUri(std::string("open ") + uri, uri);
}

void rootIsFile(Phase &phase) {
    writeFile(phase.root(), "not a directory");
    phase.open();
    phase.note("error logged", phase.errorLogged() ? "yes" : "no");
}

void configIsFile(Phase &phase) {
    makeDirectories(phase.root() + "/etc");
    writeFile(phase.root() + "/etc/secrets", "not a directory");
    phase.open();
}

void stateIsFile(Phase &phase) {
    makeDirectories(phase.root());
    writeFile(phase.root() + "/run", "not a directory");
    phase.open();
}

void lockIsDirectory(Phase &phase) {
    makeDirectories(phase.root() + "/run/secrets/driver.pid");
    phase.open();
}

void rootNotWritable(Phase &phase) {
    makeDirectories(phase.scratch("closed"), 0755);
    becomeNobody();
    phase.openUri("open", Phase::uriOf(phase.scratch("closed") + "/root"));
}

void wideModes(Phase &phase) {
    makeDirectories(phase.file("").substr(0, phase.file("").size() - 1), 0777);
    makeDirectories(phase.root() + "/run/secrets", 0777);
    check(chmod(phase.root().c_str(), 0755) == 0, "chmod");
    phase.open();
    phase.disk("after open");
    phase.defineWithValue("define", {.uuid = chosenUuid(1)}, "hello");
}

void noUmask(Phase &phase) {
    umask(0);
    phase.open();
    phase.defineWithValue("define", {.uuid = chosenUuid(1)}, "hello");
}

void tightUmask(Phase &phase) {
    umask(0777);
    phase.open();
    phase.defineWithValue("define", {.uuid = chosenUuid(1)}, "hello");
}

void stalePidFile(Phase &phase) {
    makeDirectories(phase.root() + "/run/secrets");
    writeFile(phase.root() + "/run/secrets/driver.pid", "4194303999\n", 0600);
    phase.open();
    phase.disk("after open");
}

void twice(Phase &phase) {
    phase.open();
    Secret first = phase.define("define", {.uuid = chosenUuid(1)});
    Connection second = phase.openUri("open again", phase.uri());
    Connection spelled = phase.openUri("open with a slash", phase.uri() + "/");
    Connection other = phase.openUri("open another root", Phase::uriOf(phase.scratch("other")));
    phase.attempt("secrets of the second connection",
                  [&] { return virConnectNumOfSecrets(second.get()); });
    phase.attempt("secrets of the other spelling",
                  [&] { return virConnectNumOfSecrets(spelled.get()); });
    phase.attempt("secrets of the other root", [&] { return virConnectNumOfSecrets(other.get()); });
    phase.dump("the first connection goes on", first);
}

void againAfterClose(Phase &phase) {
    phase.open();
    phase.define("define", {.uuid = chosenUuid(1)});
    phase.close();
    phase.open("open again");
    phase.list("list");
}

void againAfterFailure(Phase &phase) {
    writeFile(phase.scratch("file"), "not a directory");
    phase.openUri("open a file", Phase::uriOf(phase.scratch("file")));
    phase.open("open the root");
    phase.list("list");
}

void noModule(Phase &phase) {
    makeDirectories(phase.scratch("empty"));
    setenv("LIBVIRT_DRIVER_DIR", phase.scratch("empty").c_str(), 1);
    phase.open();
}

void unknownFlags(Phase &phase) {
    phase.openUri("open with flags 0x80", phase.uri(), 0x80);
}

void noAliases(Phase &phase) {
    phase.openUri("open with VIR_CONNECT_NO_ALIASES", phase.uri(), VIR_CONNECT_NO_ALIASES);
}

void prepareReadOnly(Phase &phase) {
    phase.open();
    phase.defineWithValue("define", {.uuid = chosenUuid(1), .type = "ceph", .id = "n1"}, "hello");
}

void readOnly(Phase &phase) {
    phase.use(phase.openUri("open read-only", phase.uri(), VIR_CONNECT_RO));
    phase.list("list");
    phase.attempt("count", [&] { return virConnectNumOfSecrets(phase.connection()); });
    Secret secret = phase.lookup("lookup", chosenUuid(1));
    phase.lookupByUsage("lookup by usage", VIR_SECRET_USAGE_TYPE_CEPH, "n1");
    phase.dump("dump", secret);
    phase.getValue("get", secret);
    phase.setValue("set", secret, "other");
    phase.define("define", {.uuid = chosenUuid(2)});
    phase.undefine("undefine", secret);
}

void closeCounts(Phase &phase) {
    phase.open();
    Secret secret = phase.define("define", {.uuid = chosenUuid(1)});
    virConnectPtr connection = phase.connection();
    phase.attempt("take a reference", [&] { return virConnectRef(connection); });
    phase.attempt("close the reference", [&] { return virConnectClose(connection); });
    phase.close("close while a secret is held");
    phase.dump("the secret still works", secret);
    phase.attempt("free the secret", [&] { return virSecretFree(secret.release()); });
}

} // namespace

std::vector<Scenario> openingScenarios() {
    return {
        {"opening.creates-root", {createsRoot}},
        {"opening.refused-uris",
         opensEach({"secret:///embed", "secret:///embed?foo=bar", "secret:///embed?root=",
                    "secret:///embed?root=relative", "secret:///embed/?root=ROOT",
                    "secret://host/embed?root=ROOT", "secret+unix:///embed?root=ROOT",
                    "secret:///embed?root=/proc/nope/root", "secret:///embed?socket=/nowhere"})},
        {"opening.other-uris", {otherUris}},
        {"opening.other-uris-after-failure", {otherUrisAfterFailure}},
        {"opening.root-is-file", {rootIsFile}},
        {"opening.config-is-file", {configIsFile}},
        {"opening.state-is-file", {stateIsFile}},
        {"opening.lock-is-directory", {lockIsDirectory}},
        {"opening.root-not-writable", {rootNotWritable}},
        {"opening.keeps-wide-modes", {wideModes}},
        {"opening.ignores-umask", {noUmask}},
        {"opening.tight-umask", {tightUmask}},
        {"opening.stale-pid-file", {stalePidFile}},
        {"opening.twice", {twice}},
        {"opening.again-after-close", {againAfterClose}},
        {"opening.again-after-failure", {againAfterFailure}},
        {"opening.no-module", {noModule}},
        {"opening.unknown-flags", {unknownFlags}},
        {"opening.no-aliases", {noAliases}},
        {"opening.read-only", {prepareReadOnly, readOnly}},
        {"opening.close-counts", {closeCounts}},
    };
}

} // namespace keyhold
