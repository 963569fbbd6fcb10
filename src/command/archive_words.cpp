// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/backup.h"
#include "command/interrupt.h"
#include "command/restore.h"
#include "command/words.h"

#include <memory>

#include <CLI/CLI.hpp>

namespace keyhold::command {

namespace {

/// A subcommand whose options, in `Options`, are completed by what all have.
template <typename Options>
CLI::App *addArchiveWord(CLI::App *to, Words &words, const char *name, const char *text,
                         const std::shared_ptr<Options> &options, Exit (*work)(const Options &)) {
    CLI::App *const command = addCommand(to, words, name, text);
    addKeyFiles(command, words);
    command->callback([&words, options, work] {
        words.work = [&words, options, work] {
            catchInterrupts();
            options->target = words.target;
            options->keyFiles = words.files;
            options->json = words.json;
            options->isStopped = isInterrupted;
            return work(*options);
        };
    });
    return command;
}

} // namespace

void addArchiveWords(CLI::App *to, Words &words) {
    const auto backed = std::make_shared<BackupOptions>();
    CLI::App *const backUp =
        addArchiveWord(to, words, "backup",
                       "Write the secrets of a store to an archive, without keys", backed, backup);
    backUp->add_option("FILE", backed->file, "the archive to make; - for standard output")
        ->required();
    backUp->add_flag("--plain", backed->withPlain, "with values that are not encrypted");
    backUp->add_flag("--force", backed->replacesFile, "in place of a file that is there");
    backUp->add_flag("--verbose", backed->isVerbose, "name every secret without a value");

    const auto restored = std::make_shared<RestoreOptions>();
    CLI::App *const bringBack = addArchiveWord(
        to, words, "restore", "Show what an archive would change in a store, or change it",
        restored, restore);
    bringBack->add_option("FILE", restored->file, "the archive of a backup")->required();
    bringBack->add_option("UUID", restored->uuids, "secrets to restore (default: all)");
    bringBack->add_flag("--apply", restored->applies, "write to the store");
    bringBack->add_flag("--replace", restored->replaces, "secrets that differ, too");
}

} // namespace keyhold::command
