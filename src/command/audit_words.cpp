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

template <typename Options>
void addPeriod(CLI::App *to, const std::shared_ptr<Options> &options) {
    to->add_option("--since", options->period.since, "records of this time and later")
        ->type_name("TIME");
    to->add_option("--until", options->period.until, "records before this time")->type_name("TIME");
}

void addShow(CLI::App *to, Words &words) {
    const auto options = std::make_shared<AuditShowOptions>();
    CLI::App *const command =
        addTrailCommand(to, words, "show", "Show records, the oldest first", options, auditShow);
    addPeriod(command, options);
    command->add_option("--action", options->action, "records of this action alone")
        ->type_name("ACTION");
    command->add_option("--outcome", options->outcome, "success, failure or unknown")
        ->type_name("OUTCOME");
}

void addWho(CLI::App *to, Words &words) {
    const auto options = std::make_shared<AuditWhoOptions>();
    CLI::App *const command = addTrailCommand(
        to, words, "who", "Show the records of a secret, and what uses it", options, auditWho);
    addPeriod(command, options);
    addConnections(command, options->connections);
    addSecret(command, options->secret);
}

void addBy(CLI::App *to, Words &words) {
    const auto options = std::make_shared<AuditByOptions>();
    CLI::App *const command =
        addTrailCommand(to, words, "by", "Show the records of a user", options, auditBy);
    addPeriod(command, options);
    command->add_option("USER", options->user, "a name or a number")->required();
}

} // namespace

void addAuditWords(CLI::App *to, Words &words) {
    CLI::App *const audit = to->add_subcommand("audit", "Read the audit trail, and prove it");
    audit->require_subcommand(1);
    addInit(audit, words);
    addVerify(audit, words);
    addShow(audit, words);
    addWho(audit, words);
    addBy(audit, words);
}

} // namespace keyhold::command
