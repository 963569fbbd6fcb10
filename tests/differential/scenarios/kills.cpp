// SPDX-License-Identifier: LGPL-2.1-or-later
// The process is killed at a chosen call of the system. What the next one finds must be the state
// before the call or the one after it.
#include "faults.h"
#include "phase.h"

namespace keyhold {

namespace {

using faults::Action;
using faults::Call;
using faults::Fault;

const std::string kOne = chosenUuid(1);
const std::string kTwo = chosenUuid(2);
const Definition kDefinition = {.uuid = kOne, .type = "ceph", .id = "n1"};

void prepare(Phase &phase) {
    phase.open();
    phase.defineWithValue("define one", kDefinition, "hello");
}

/// Opens, arms the fault and works; the process is not expected to come back.
template <typename Work>
PhaseFunction killed(const Fault &fault, Work work) {
    return [fault, work](Phase &phase) {
        phase.open();
        Secret one = phase.lookup("lookup", kOne);
        faults::arm(phase.file(""), fault);
        work(phase, one);
        faults::disarm();
        phase.note("still alive", "yes");
    };
}

void look(Phase &phase) {
    phase.open();
    phase.memory("memory");
    phase.secretFiles("files");
}

/// One scenario: the same work, killed at each point in turn, with a look at it after each.
template <typename Work>
Scenario scenario(const std::string &name, const std::vector<Fault> &faults, Work work) {
    Scenario out{name, {prepare}};
    for (const Fault &fault : faults) {
        out.phases.push_back(killed(fault, work));
        out.phases.push_back(look);
    }
    return out;
}

std::vector<Fault> writing(const std::string &name) {
    return {{.call = Call::create, .action = Action::killBefore},
            {.call = Call::create, .action = Action::killAfter},
            {.call = Call::write, .action = Action::killBefore},
            {.call = Call::write, .action = Action::killAfter},
            {.call = Call::sync, .action = Action::killBefore},
            {.call = Call::sync, .action = Action::killAfter},
            {.call = Call::place, .name = name, .action = Action::killBefore},
            {.call = Call::place, .name = name, .action = Action::killAfter}};
}

std::vector<Fault> removing(const std::string &name) {
    return {{.call = Call::remove, .name = name, .action = Action::killBefore},
            {.call = Call::remove, .name = name, .action = Action::killAfter}};
}

} // namespace

std::vector<Scenario> killScenarios() {
    auto define = [](Phase &phase, Secret &) { phase.define("define", {.uuid = kTwo}); };
    auto redefine = [](Phase &phase, Secret &) {
        Definition described = kDefinition;
        described.description = "words";
        phase.define("redefine", described);
    };
    auto set = [](Phase &phase, Secret &one) { phase.setValue("set", one, "other"); };
    auto undefine = [](Phase &phase, Secret &one) { phase.undefine("undefine", one); };
    return {scenario("kills.define", writing(kTwo + ".xml"), define),
            scenario("kills.redefine", writing(kOne + ".xml"), redefine),
            scenario("kills.set", writing(kOne + ".base64"), set),
            scenario("kills.undefine-definition", removing(kOne + ".xml"), undefine),
            scenario("kills.undefine-value", removing(kOne + ".base64"), undefine)};
}

} // namespace keyhold
