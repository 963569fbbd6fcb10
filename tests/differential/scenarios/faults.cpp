// SPDX-License-Identifier: LGPL-2.1-or-later
// Calls of the system that fail. What counts is what the client is answered, what memory and disk
// hold afterwards, that a second try works, and what a restart finds.
#include "faults.h"

#include "phase.h"

#include <cerrno>
#include <cstring>

namespace keyhold {

namespace {

using faults::Call;
using faults::Fault;

const std::string kOne = chosenUuid(1);
const std::string kTwo = chosenUuid(2);

struct Failure {
    std::string name;
    Fault fault;
};

/// What can go wrong with writing a file that ends up as `name`.
std::vector<Failure> whileWriting(const std::string &name) {
    return {{"create ENOSPC", {.call = Call::create, .error = ENOSPC}},
            {"create EACCES", {.call = Call::create, .error = EACCES}},
            {"write ENOSPC", {.call = Call::write, .error = ENOSPC}},
            {"write EIO", {.call = Call::write, .error = EIO}},
            {"sync EIO", {.call = Call::sync, .error = EIO}},
            {"close EIO", {.call = Call::close, .error = EIO}},
            {"rename EIO", {.call = Call::place, .name = name, .error = EIO}},
            {"rename ENOSPC", {.call = Call::place, .name = name, .error = ENOSPC}}};
}

/// Does `work` under the fault, then looks at memory and disk.
template <typename Work>
void under(Phase &phase, const Failure &failure, Work work) {
    faults::arm(phase.file(""), failure.fault);
    work(failure.name);
    bool met = faults::disarm();
    phase.note(failure.name + ", the call was made", met ? "yes" : "no");
    phase.memory(failure.name + ", memory");
    phase.secretFiles(failure.name + ", files");
}

void prepare(Phase &phase) {
    phase.transcript().maskTemporaryNames();
    phase.open();
    phase.defineWithValue("define one", {.uuid = kOne, .type = "ceph", .id = "n1"}, "hello");
}

void defining(Phase &phase) {
    prepare(phase);
    Definition definition = {.uuid = kTwo, .type = "ceph", .id = "n2"};
    for (const Failure &failure : whileWriting(kTwo + ".xml"))
        under(phase, failure, [&](const std::string &key) { phase.define(key, definition); });
    phase.define("second try", definition);
}

void redefining(Phase &phase) {
    prepare(phase);
    Definition definition = {.uuid = kOne, .type = "ceph", .id = "n1", .description = "words"};
    for (const Failure &failure : whileWriting(kOne + ".xml"))
        under(phase, failure, [&](const std::string &key) { phase.define(key, definition); });
    phase.define("second try", definition);
}

void setting(Phase &phase) {
    prepare(phase);
    Secret secret = phase.lookup("lookup", kOne);
    for (const Failure &failure : whileWriting(kOne + ".base64"))
        under(phase, failure,
              [&](const std::string &key) { phase.setValue(key, secret, "other"); });
    phase.setValue("second try", secret, "other");
}

void settingFirst(Phase &phase) {
    prepare(phase);
    Secret secret = phase.define("define two", {.uuid = kTwo});
    for (const Failure &failure : whileWriting(kTwo + ".base64"))
        under(phase, failure,
              [&](const std::string &key) { phase.setValue(key, secret, "other"); });
    phase.setValue("second try", secret, "other");
}

void toPersistent(Phase &phase) {
    prepare(phase);
    Definition definition = {.uuid = kTwo, .type = "ceph", .id = "n2", .ephemeral = "yes"};
    phase.defineWithValue("define ephemeral", definition, "hello");
    definition.ephemeral = "no";
    for (const Failure &failure : whileWriting(kTwo + ".base64")) {
        under(phase, {"value, " + failure.name, failure.fault},
              [&](const std::string &key) { phase.define(key, definition); });
    }
    for (Failure &failure : whileWriting(kTwo + ".xml")) {
        failure.fault.filesSpared = failure.fault.call == Call::place ? 0 : 1;
        under(phase, {"definition, " + failure.name, failure.fault},
              [&](const std::string &key) { phase.define(key, definition); });
    }
    phase.define("second try", definition);
}

void undefining(Phase &phase) {
    prepare(phase);
    Secret secret = phase.lookup("lookup", kOne);
    for (int error : {EIO, EROFS}) {
        Fault fault = {.call = Call::remove, .name = kOne + ".xml", .error = error};
        under(phase, {std::string("unlink of the definition ") + strerrorname_np(error), fault},
              [&](const std::string &key) { phase.undefine(key, secret); });
    }
    phase.undefine("second try", secret);
}

void undefiningValue(Phase &phase) {
    prepare(phase);
    Secret secret = phase.lookup("lookup", kOne);
    Fault fault = {.call = Call::remove, .name = kOne + ".base64", .error = EIO};
    under(phase, {"unlink of the value EIO", fault},
          [&](const std::string &key) { phase.undefine(key, secret); });
}

PhaseFunction toEphemeral(const std::string &suffix) {
    return [suffix](Phase &phase) {
        prepare(phase);
        Definition definition = {.uuid = kOne, .type = "ceph", .id = "n1", .ephemeral = "yes"};
        Fault fault = {.call = Call::remove, .name = kOne + suffix, .error = EIO};
        under(phase, {"to ephemeral", fault},
              [&](const std::string &key) { phase.define(key, definition); });
    };
}

void settingEmpty(Phase &phase) {
    prepare(phase);
    Secret secret = phase.lookup("lookup", kOne);
    Fault fault = {.call = Call::remove, .name = kOne + ".base64", .error = EIO};
    under(phase, {"unlink of the value EIO", fault},
          [&](const std::string &key) { phase.setValue(key, secret, ""); });
}

void reload(Phase &phase) {
    phase.open();
    phase.memory("memory");
    phase.secretFiles("files");
}

/// The file is in place, but its directory cannot be synced.
using Change = std::function<void(Phase &, const Secret &one)>;

Scenario directory(const std::string &name, int times, const Change &change, int error = EIO) {
    PhaseFunction work = [times, change, error](Phase &phase) {
        prepare(phase);
        Secret one = phase.lookup("lookup", kOne);
        Fault fault = {.call = Call::syncDirectory, .error = error, .times = times};
        under(phase, {"sync of the directory", fault},
              [&](const std::string &) { change(phase, one); });
    };
    return {"faults.directory-" + name, {work, reload}};
}

/// Each change, with a directory that can be synced again when the change is taken back, and with
/// one that cannot.
std::vector<Scenario> directories() {
    auto define = [](Phase &phase, const Secret &) {
        phase.define("change", {.uuid = kTwo, .type = "ceph", .id = "n2"});
    };
    auto redefine = [](Phase &phase, const Secret &) {
        phase.define("change", {.uuid = kOne, .type = "ceph", .id = "n1", .description = "words"});
    };
    auto set = [](Phase &phase, const Secret &one) { phase.setValue("change", one, "other"); };
    auto undefine = [](Phase &phase, const Secret &one) { phase.undefine("change", one); };
    // A file system that has no such call.
    auto all = [](Phase &phase, const Secret &one) {
        phase.define("define", {.uuid = kTwo, .type = "ceph", .id = "n2"});
        phase.define("redefine",
                     {.uuid = kOne, .type = "ceph", .id = "n1", .description = "words"});
        phase.setValue("set", one, "other");
        phase.memory("memory after set");
        phase.undefine("undefine", one);
    };
    return {directory("define-once", 1, define),
            directory("define-always", -1, define),
            directory("redefine-once", 1, redefine),
            directory("redefine-always", -1, redefine),
            directory("set-once", 1, set),
            directory("set-always", -1, set),
            directory("undefine-once", 1, undefine),
            directory("undefine-always", -1, undefine),
            directory("unavailable", -1, all, EINVAL)};
}

} // namespace

std::vector<Scenario> faultScenarios() {
    std::vector<Scenario> scenarios = {
        {"faults.define", {defining, reload}},
        {"faults.redefine", {redefining, reload}},
        {"faults.set", {setting, reload}},
        {"faults.set-first", {settingFirst, reload}},
        {"faults.to-persistent", {toPersistent, reload}},
        {"faults.undefine", {undefining, reload}},
        {"faults.undefine-value", {undefiningValue, reload}},
        {"faults.to-ephemeral-definition", {toEphemeral(".xml"), reload}},
        {"faults.to-ephemeral-value", {toEphemeral(".base64"), reload}},
        {"faults.set-empty", {settingEmpty, reload}}};
    for (Scenario &scenario : directories())
        scenarios.push_back(std::move(scenario));
    return scenarios;
}

} // namespace keyhold
