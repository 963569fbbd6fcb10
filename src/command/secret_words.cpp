// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/secrets.h"
#include "command/words.h"

#include <memory>

#include <CLI/CLI.hpp>

namespace keyhold::command {

namespace {

constexpr const char *kSecret =
    "a uuid, or TYPE:ID such as \"ceph:client.libvirt secret\"; TYPE is "
    "volume, ceph, iscsi, tls or vtpm";

/// The callback lives as long as the parser, and the options with it.
template <typename Options>
void addWork(CLI::App *to, Words &words, const std::shared_ptr<Options> &options,
             Exit (*work)(const Options &)) {
    to->callback([&words, options, work] {
        words.work = [&words, options, work] {
            options->target = words.target;
            if constexpr (requires { options->keyFiles; })
                options->keyFiles = words.files;
            if constexpr (requires { options->json; })
                options->json = words.json;
            return work(*options);
        };
    });
}

void addSet(CLI::App *to, Words &words) {
    CLI::App *const command =
        addCommand(to, words, "set", "Set the value of a secret to what comes from standard input");
    const auto options = std::make_shared<SetOptions>();
    addSecret(command, options->secret);
    CLI::Option *const define = command->add_flag(
        "--define", options->wantsDefine, "make the secret, named as TYPE:ID, if it is not there");
    command->add_option("--uuid", options->uuid, "of a secret that is made (default: a new one)")
        ->type_name("UUID")
        ->needs(define);
    command->add_option("--description", options->description, "of a secret that is made")
        ->type_name("TEXT")
        ->needs(define);
    command
        ->add_flag("--private", options->isPrivate, "make one whose value no client can read back")
        ->needs(define);
    command->add_flag("--ephemeral", options->isEphemeral, "make one that is never written to disk")
        ->needs(define);
    addWork(command, words, options, set);
}

} // namespace

void addSecret(CLI::App *to, std::string &secret, bool isRequired) {
    to->add_option("SECRET", secret, kSecret)->required(isRequired);
}

void addConnections(CLI::App *to, std::vector<std::string> &connections) {
    to->add_option("--connect", connections,
                   "whom to ask for guests and pools (default: qemu:///system or qemu:///session)")
        ->type_name("URI")
        ->allow_extra_args(false);
}

void addSecretWords(CLI::App *to, Words &words) {
    const auto listing = std::make_shared<ListOptions>();
    CLI::App *command = addCommand(to, words, "list", "List secrets, one a line");
    addKeyFiles(command, words);
    addWork(command, words, listing, list);

    const auto showing = std::make_shared<ShowOptions>();
    command = addCommand(to, words, "show", "Show all of a secret but its value, and what uses it");
    addKeyFiles(command, words);
    addConnections(command, showing->connections);
    addSecret(command, showing->secret);
    addWork(command, words, showing, show);

    addSet(to, words);

    const auto getting = std::make_shared<GetOptions>();
    command = to->add_subcommand("get", "Write the value of a secret to standard output");
    addTarget(command, words);
    command->add_flag("--reveal", getting->isRevealing, "yes, in the clear");
    addSecret(command, getting->secret);
    addWork(command, words, getting, get);

    const auto using_ = std::make_shared<UsersOptions>();
    command =
        addCommand(to, words, "used-by", "Show the guests and storage pools that use secrets");
    addConnections(command, using_->connections);
    addSecret(command, using_->secret, false);
    addWork(command, words, using_, usedBy);
}

} // namespace keyhold::command
