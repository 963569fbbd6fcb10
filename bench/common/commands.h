// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace keyhold::bench {

/// What a measurement found: names and numbers.
using Figures = std::vector<std::pair<std::string, double>>;

/// The words after the name of a command.
class Words {
  public:
    explicit Words(std::vector<std::string> words) : words_(std::move(words)) {}
    /// Raises std::runtime_error if there is none at this place.
    [[nodiscard]] const std::string &word(std::size_t place) const;
    [[nodiscard]] std::size_t number(std::size_t place) const;

  private:
    std::vector<std::string> words_;
};

using Command = std::function<Figures(const Words &)>;

/// Prints figures as one line, `name=number name=number`.
void printFigures(const Figures &figures);

/// Reads commands from standard input, a line each, until it ends; answers each with a line of
/// figures. So several programs can be kept ready and measured in turn. What a command raises ends
/// it.
void obey(const std::map<std::string, Command> &commands);

} // namespace keyhold::bench
