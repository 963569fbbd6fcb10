// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/output.h"
#include "command/target.h"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
} // namespace CLI

/// The words of the command line, in groups.
namespace keyhold::command {

/// What the options say that more than one subcommand has, and what is to be done.
struct Words {
    TargetChoice target;
    std::vector<std::string> files; ///< key files
    bool json = false;
    std::function<Exit()> work;
};

void addTarget(CLI::App *to, Words &words);
void addKeyFiles(CLI::App *to, Words &words);
void addJson(CLI::App *to, Words &words);
/// SECRET, as parseSecretName() reads it.
void addSecret(CLI::App *to, std::string &secret, bool isRequired = true);
/// --connect, as connectionsFor() takes it.
void addConnections(CLI::App *to, std::vector<std::string> &connections);
/// A subcommand with --system, --session, --root and --json.
CLI::App *addCommand(CLI::App *to, Words &words, const char *name, const char *text);

/// list, show, set, get, used-by.
void addSecretWords(CLI::App *to, Words &words);
/// key and what is below it.
void addKeyWords(CLI::App *to, Words &words);
/// encrypt and what is below it.
void addEncryptWords(CLI::App *to, Words &words);
/// backup, restore.
void addArchiveWords(CLI::App *to, Words &words);
/// audit and what is below it.
void addAuditWords(CLI::App *to, Words &words);

/// Raises invalidArgument for a word that is no subcommand where one is due, with the nearest, and
/// for none.
void requireKnownWords(const CLI::App &app, int argc, const char *const *argv);
/// An error of the parser, with what to do. An option that is unknown is named with the nearest.
/// What `set` does not take is not repeated: it could be the value.
[[nodiscard]] std::string textOfParseError(const CLI::App &app, const CLI::ParseError &error);

} // namespace keyhold::command
