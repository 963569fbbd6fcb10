// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/keys.h"
#include "command/words.h"

#include <CLI/CLI.hpp>

namespace keyhold::command {

namespace {

CLI::App *addKeyCommand(CLI::App *to, Words &words, const char *name, const char *text,
                        Exit (*work)(const KeyOptions &)) {
    CLI::App *const command = addCommand(to, words, name, text);
    command->callback([&words, work] {
        words.work = [&words, work] { return work({words.target, words.files, words.json}); };
    });
    return command;
}

} // namespace

void addKeyWords(CLI::App *to, Words &words) {
    CLI::App *const key = to->add_subcommand("key", "Make and show keys");
    key->require_subcommand(1);
    addKeyCommand(key, words, "generate", "Make a new key file; never in the place of another",
                  generateKey)
        ->add_option("FILE", words.files, "the file to make (default: the one secret.conf names)")
        ->expected(0, 1);
    addKeyCommand(key, words, "show-id", "Print the ids of keys", showKeyIds)
        ->add_option("FILE", words.files, "key files (default: those secret.conf names)");
    CLI::App *const show =
        key->add_subcommand("export", "Write a sealing key to stdout, for other tools");
    addTarget(show, words);
    show->add_flag("--jwk")->description("as a JSON Web Key (RFC 7517)")->required();
    show->add_option("FILE", words.files, "the key file (default: the current key)")
        ->expected(0, 1);
    show->callback([&words] {
        words.work = [&words] { return exportKey({words.target, words.files, false}); };
    });
}

} // namespace keyhold::command
