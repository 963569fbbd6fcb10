// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/words.h"

#include "conf/error.h"
#include "conf/nearest_word.h"

#include <string_view>

#include <CLI/CLI.hpp>

namespace keyhold::command {

namespace {

std::vector<std::string> subcommandsOf(const CLI::App &app) {
    std::vector<std::string> names;
    for (const CLI::App *each : app.get_subcommands({}))
        names.push_back(each->get_name());
    return names;
}

const CLI::App *subcommandOf(const CLI::App &app, std::string_view name) {
    for (const CLI::App *each : app.get_subcommands({})) {
        if (each->get_name() == name)
            return each;
    }
    return nullptr;
}

std::vector<std::string> optionsOf(const CLI::App &app) {
    std::vector<std::string> names;
    for (const CLI::Option *option : app.get_options()) {
        for (const std::string &name : option->get_lnames())
            names.push_back("--" + name);
    }
    return names;
}

std::string enumerated(const std::string &path, const std::vector<std::string> &words) {
    std::string text;
    for (const std::string &word : words)
        text.append(text.empty() ? "" : ", ").append(path).append(word);
    return text;
}

/// The subcommand that was given, at its lowest.
const CLI::App &lowestOf(const CLI::App &app) {
    const auto given = app.get_subcommands();
    return given.empty() ? app : lowestOf(*given.front());
}

} // namespace

void addTarget(CLI::App *to, Words &words) {
    to->add_flag("--system", words.target.wantsSystem, "the secrets of the system's daemon");
    to->add_flag("--session", words.target.wantsSession, "the secrets of your session daemon");
    to->add_option("--root", words.target.roots, "the secrets of an embedded root")
        ->type_name("DIR")
        ->allow_extra_args(false);
}

void addKeyFiles(CLI::App *to, Words &words) {
    to->add_option("--key", words.files, "one more key file to open values with")
        ->type_name("FILE")
        ->allow_extra_args(false);
}

void addJson(CLI::App *to, Words &words) {
    to->add_flag("--json", words.json, "print JSON");
}

CLI::App *addCommand(CLI::App *to, Words &words, const char *name, const char *text) {
    CLI::App *const command = to->add_subcommand(name, text);
    addTarget(command, words);
    addJson(command, words);
    return command;
}

void requireKnownWords(const CLI::App &app, int argc, const char *const *argv) {
    const CLI::App *at = &app;
    std::string path;
    std::vector<std::string> known = subcommandsOf(app);
    bool hasOption = false;
    for (int i = 1; i < argc && !known.empty(); ++i) {
        const std::string_view word = argv[i];
        if (word.starts_with('-')) {
            hasOption = true;
            continue;
        }
        const CLI::App *const below = subcommandOf(*at, word);
        if (!below)
            throw Error(ErrorCode::invalidArgument, "there is no command " +
                                                        inQuotes(path + std::string(word)) +
                                                        didYouMean(word, known));
        path += std::string(word) + " ";
        at = below;
        known = subcommandsOf(*at);
    }
    if (!known.empty() && !hasOption)
        throw Error(ErrorCode::invalidArgument,
                    "name a command, one of " + enumerated(path, known));
}

std::string textOfParseError(const CLI::App &app, const CLI::ParseError &error) {
    const CLI::App &lowest = lowestOf(app);
    const std::vector<std::string> unknown = lowest.remaining(false);
    std::string name;
    if (!unknown.empty() && unknown.front().starts_with("--"))
        name = unknown.front().substr(0, unknown.front().find('='));
    const std::string guess = name.empty() ? "" : didYouMean(name, optionsOf(lowest));
    const auto kind = static_cast<CLI::ExitCodes>(error.get_exit_code());
    const bool quotesArgument = !unknown.empty() || kind == CLI::ExitCodes::ExtrasError ||
                                kind == CLI::ExitCodes::ConversionError;
    if (lowest.get_name() == "set" && quotesArgument)
        return "set has no use for an argument that it was given" +
               (guess.empty() ? "; it is not shown because it could be the value, and that comes "
                                "from standard input"
                              : guess);
    if (name.empty())
        return std::string(error.what()) + "; --help says what there is";
    return lowest.get_name() + " has no option " + inQuotes(name) +
           (guess.empty() ? "; --help says what there is" : guess);
}

} // namespace keyhold::command
