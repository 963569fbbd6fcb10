// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/encrypt.h"
#include "command/interrupt.h"
#include "command/words.h"

#include <CLI/CLI.hpp>

namespace keyhold::command {

namespace {

CLI::App *addStep(CLI::App *to, Words &words, const char *name, const char *text,
                  EncryptStep step) {
    CLI::App *const command = addCommand(to, words, name, text);
    command->callback([&words, step] {
        words.work = [&words, step] {
            catchInterrupts();
            return encrypt({step, words.target, words.files, words.json, isInterrupted});
        };
    });
    return command;
}

void addKey(CLI::App *to, Words &words, const char *text) {
    to->add_option("--key", words.files, text)
        ->type_name("FILE")
        ->allow_extra_args(false)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
}

} // namespace

void addEncryptWords(CLI::App *to, Words &words) {
    CLI::App *const encryption =
        to->add_subcommand("encrypt", "Switch encryption on or off, or change the key");
    encryption->require_subcommand(1);
    constexpr const char *kKeyText = "where the key is made, or is already";
    addKey(addStep(encryption, words, "on", "Make a key, name it in secret.conf, seal all values",
                   EncryptStep::on),
           words, kKeyText);
    addStep(encryption, words, "off", "Write all values in plain, and new ones too",
            EncryptStep::off);
    addKey(addStep(encryption, words, "rotate", "Make a new key, and seal all values with it",
                   EncryptStep::rotate),
           words, kKeyText);
}

} // namespace keyhold::command
