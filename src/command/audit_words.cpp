// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit.h"
#include "command/words.h"

#include <memory>

#include <CLI/CLI.hpp>

namespace keyhold::command {

namespace {

/// A subcommand of a trail; its options live as long as the parser.
template <typename Options>
CLI::App *addTrailCommand(CLI::App *to, Words &words, const char *name, const char *text,
                          const std::shared_ptr<Options> &options, Exit (*work)(const Options &)) {
    CLI::App *const command = addCommand(to, words, name, text);
    command->add_option("--file", options->trail.file, "the trail (default: that of the store)")
        ->type_name("FILE");
    command->callback([&words, options, work] {
        words.work = [&words, options, work] {
            options->trail.target = words.target;
            options->json = words.json;
            return work(*options);
        };
    });
    return command;
}

void addVerify(CLI::App *to, Words &words) {
    const auto options = std::make_shared<AuditVerifyOptions>();
    CLI::App *const command = addTrailCommand(
        to, words, "verify", "Say how much is proven of the trail; exit with 1 if it is broken",
        options, auditVerify);
    command
        ->add_option("--key-file", options->keyFile,
                     "a file of keys that init printed; - for standard input")
        ->type_name("FILE");
    command->add_option("--key", options->keys, "such a key; others on this host can see it")
        ->type_name("SEQUENCE:HEX")
        ->allow_extra_args(false);
    command->add_option("--head", options->head, "a head that the trail must have")
        ->type_name("SEQUENCE:HEX");
}

void addInit(CLI::App *to, Words &words) {
    const auto options = std::make_shared<AuditInitOptions>();
    addTrailCommand(to, words, "init", "Make the key that seals records, and print it once",
                    options, auditInit)
        ->add_flag("--replace", options->isReplacing, "put it in the place of the key there is");
}

} // namespace

void addAuditWords(CLI::App *to, Words &words) {
    CLI::App *const audit = to->add_subcommand("audit", "Read the audit trail, and prove it");
    audit->require_subcommand(1);
    addInit(audit, words);
    addVerify(audit, words);
}

} // namespace keyhold::command
