// SPDX-License-Identifier: LGPL-2.1-or-later
// The document that comes back from a dump, stands in the file, and comes back after a restart.
#include "files.h"
#include "phase.h"

namespace keyhold {

namespace {

struct Text {
    const char *name;
    const char *written; ///< as in a document
};

const std::vector<Text> &texts() {
    static const auto *all = new std::vector<Text>{
        {"plain", "plain"},
        {"escapes", "a&amp;b&lt;c&gt;d&apos;e&quot;f"},
        {"utf-8", "schl\xc3\xbcssel \xe2\x82\xac \xf0\x9f\x94\x91"},
        {"tab and newline", "a\tb\nc"},
        {"referenced tab and newline", "a&#9;b&#10;c"},
        {"delete and C1", "a\x7f\xc2\x80\xc2\x9f"},
        {"separators", "a\xe2\x80\xa8\xe2\x80\xa9\xc2\x85z"},
        {"leading and trailing blanks", "  a  "},
        {"only blanks", "  \n "},
        {"looks escaped", "&amp;amp;&amp;#13;"},
        {"end of CDATA", "a]]&gt;b"},
    };
    return *all;
}

void noteWhetherFileIsDump(Phase &phase, const std::string &key, const Secret &secret) {
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    virSecretGetUUIDString(secret.get(), uuid);
    char *xml = virSecretGetXMLDesc(secret.get(), 0);
    bool same = xml && readFile(phase.file(std::string(uuid) + ".xml")) == xml;
    std::free(xml);
    phase.note(key, same ? "the file is the dump" : "the file is not the dump");
}

void everyType(Phase &phase) {
    phase.open();
    unsigned number = 0;
    for (const std::string &type : usageTypes()) {
        for (const char *ephemeral : {"no", "yes"}) {
            number++;
            Secret secret =
                phase.define("define " + type, {.uuid = chosenUuid(number),
                                                .type = type.c_str(),
                                                .id = "/id " + std::to_string(number),
                                                .description = "a " + type,
                                                .ephemeral = ephemeral,
                                                .isPrivate = number % 3 ? "no" : "yes"});
            phase.dump("dump " + type, secret);
        }
    }
}

void everyTypeReloaded(Phase &phase) {
    phase.open();
    phase.memory("memory");
}

void everyText(Phase &phase) {
    phase.open();
    unsigned number = 0;
    for (const Text &text : texts()) {
        Secret secret = phase.define(text.name, {.uuid = chosenUuid(++number),
                                                 .type = "ceph",
                                                 .id = text.written,
                                                 .description = text.written});
        phase.dump(std::string(text.name) + ", dump", secret);
        noteWhetherFileIsDump(phase, std::string(text.name) + ", file", secret);
    }
}

void everyTextReloaded(Phase &phase) {
    phase.open();
    phase.memory("memory");
    phase.lookupByUsage("lookup by a usage with escapes", VIR_SECRET_USAGE_TYPE_CEPH,
                        "a&b<c>d'e\"f");
    phase.lookupByUsage("lookup by a usage with tab and newline", VIR_SECRET_USAGE_TYPE_CEPH,
                        "a\tb\nc");
}

void carriageReturn(Phase &phase) {
    phase.open();
    Secret secret = phase.define("define", {.uuid = chosenUuid(1),
                                            .type = "ceph",
                                            .id = "u&#13;v",
                                            .description = "a&#13;b&#13;&#10;c"});
    phase.dump("dump", secret);
    noteWhetherFileIsDump(phase, "file", secret);
    phase.lookupByUsage("lookup by usage with CR", VIR_SECRET_USAGE_TYPE_CEPH, "u\rv");
    // A parser reads an unescaped one as a newline, whoever wrote it.
    Secret raw =
        phase.define("define with a raw one", {.uuid = chosenUuid(2), .description = "a\r\nb\rc"});
    phase.dump("dump of the raw one", raw);
}

void carriageReturnReloaded(Phase &phase) {
    phase.open();
    phase.memory("memory");
    phase.lookupByUsage("lookup by usage with CR", VIR_SECRET_USAGE_TYPE_CEPH, "u\rv");
    phase.lookupByUsage("lookup by usage with LF", VIR_SECRET_USAGE_TYPE_CEPH, "u\nv");
}

} // namespace

std::vector<Scenario> outputScenarios() {
    return {{"output.every-type", {everyType, everyTypeReloaded}},
            {"output.every-text", {everyText, everyTextReloaded}},
            {"output.carriage-return", {carriageReturn, carriageReturnReloaded}}};
}

} // namespace keyhold
