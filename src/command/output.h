// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

/// The operator's command, `keyhold`: docs/keyhold.1 says what each subcommand does.
namespace keyhold::command {

/// What the command exits with; `check` exits as monitoring plugins do, see Severity.
enum class Exit : int {
    clean = 0,    ///< done, and nothing was found
    findings = 1, ///< done; there is something for an administrator to look at
    failure = 2,  ///< not done: wrong arguments, no access, no key, another process in the way
    unknown = 3,  ///< of `check` alone: what it should look at cannot be seen
};

using Json = nlohmann::ordered_json;

/// A line to stderr, after the name of the command. In this and the next, what could act on a
/// terminal or make more than one line of it is escaped: names of files are other people's.
void tell(std::string_view text);
/// A line to stdout.
void print(std::string_view text);

/// "1 secret", "2 secrets".
[[nodiscard]] std::string counted(std::size_t count, const char *what);

/// Of a word that says how things are.
enum class Colour { green, yellow, red };

/// As print(), of the three together. `word` has its colour (ECMA-48) where stdout is a terminal
/// that knows some, unless NO_COLOR is set (no-color.org).
void printColoured(std::string_view before, std::string_view word, Colour colour,
                   std::string_view after);

void printJson(const Json &json);
/// The same as a part of something, whose lines after the first are behind `indent` spaces; no
/// newline follows.
void printJsonAt(const Json &json, std::size_t indent);
/// True if everything printed has left the process.
[[nodiscard]] bool flushOutput();

/// One line on a terminal (stderr) that says how far something is; nothing elsewhere.
class Progress {
  public:
    /// `what` is a word such as "rekey"; lives as long as this.
    Progress(const char *what, std::size_t total);
    ~Progress();
    Progress(const Progress &) = delete;
    Progress &operator=(const Progress &) = delete;
    void show(std::size_t done);

  private:
    const char *const what_;
    const std::size_t total_;
    const bool isShown_;
    std::chrono::steady_clock::time_point shownAt_{};
};

} // namespace keyhold::command
