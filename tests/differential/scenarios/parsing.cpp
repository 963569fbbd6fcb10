// SPDX-License-Identifier: LGPL-2.1-or-later
// What virSecretDefineXML makes of a document, with and without validation, and of its arguments.
#include "inputs.h"
#include "phase.h"

namespace keyhold {

namespace {

void defineEach(Phase &phase, const InputGroup &group, unsigned int flags) {
    phase.open();
    for (const Input &input : group.inputs()) {
        Secret secret = phase.defineXml(input.name, input.xml, flags);
        if (!secret)
            continue;
        phase.dump(input.name + ", dump", secret);
        phase.undefine(input.name + ", undefine", secret);
    }
    phase.list("nothing is left");
}

void withoutUsage(Phase &phase) {
    phase.open();
    for (unsigned i = 1; i <= 3; i++)
        phase.define("define", {.uuid = chosenUuid(i)});
    Secret generated = phase.defineXml("define with a generated uuid", "<secret/>");
    unsigned char uuid[VIR_UUID_BUFLEN] = {};
    virSecretGetUUID(generated.get(), uuid);
    phase.note("version and variant of the generated uuid",
               std::to_string(uuid[6] >> 4) + " " + std::to_string(uuid[8] >> 6));
    phase.list("list");
}

void arguments(Phase &phase) {
    phase.open();
    std::string xml = toXml({.uuid = chosenUuid(1)});
    phase.attempt("NULL document",
                  [&] { return virSecretDefineXML(phase.connection(), nullptr, 0); });
    phase.attempt("NULL connection", [&] { return virSecretDefineXML(nullptr, xml.c_str(), 0); });
    for (unsigned int flags : {2U, 4U, 3U, 0x80000000U, 0xffffffffU})
        phase.defineXml("flags " + std::to_string(flags), xml, flags);
    phase.defineXml("flags are looked at before the document", "garbage", 2);
    phase.list("nothing is defined");
}

void hugeDescription(Phase &phase) {
    phase.open();
    Definition definition = {.uuid = chosenUuid(1)};
    definition.description.assign(20'000'000, 'd');
    Secret secret = phase.define("define", definition);
    phase.dump("dump", secret);
    phase.define("validated", definition, VIR_SECRET_DEFINE_VALIDATE);
}

void manyAttributes(Phase &phase) {
    phase.open();
    std::string xml = "<secret";
    for (int i = 0; i < 300; ++i)
        xml += " a" + std::to_string(i) + "=''";
    Secret secret = phase.defineXml("define", xml + "><uuid>" + chosenUuid(1) + "</uuid></secret>");
    phase.dump("dump", secret);
}

void reload(Phase &phase) {
    phase.open();
    phase.list("list");
}

} // namespace

std::vector<Scenario> parsingScenarios() {
    std::vector<Scenario> scenarios;
    for (const InputGroup &group : inputGroups()) {
        scenarios.push_back({std::string("parsing.") + group.name,
                             {[group](Phase &phase) { defineEach(phase, group, 0); }}});
        scenarios.push_back({std::string("validating.") + group.name, {[group](Phase &phase) {
                                 defineEach(phase, group, VIR_SECRET_DEFINE_VALIDATE);
                             }}});
    }
    scenarios.push_back({"parsing.without-usage", {withoutUsage}});
    scenarios.push_back({"parsing.arguments", {arguments}});
    scenarios.push_back({"parsing.huge-description", {hugeDescription, reload}});
    scenarios.push_back({"parsing.many-attributes", {manyAttributes}});
    return scenarios;
}

} // namespace keyhold
