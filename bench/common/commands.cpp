// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/commands.h"

#include <cstdio>
#include <iostream>
#include <sstream>
#include <stdexcept>

namespace keyhold::bench {

const std::string &Words::word(std::size_t place) const {
    if (place >= words_.size())
        throw std::runtime_error("a word is missing behind the command");
    return words_[place];
}

std::size_t Words::number(std::size_t place) const {
    return std::stoul(word(place));
}

void printFigures(const Figures &figures) {
    const char *separator = "";
    for (const auto &[name, number] : figures) {
        std::printf("%s%s=%.9g", separator, name.c_str(), number);
        separator = " ";
    }
    std::printf("\n");
    std::fflush(stdout);
}

void obey(const std::map<std::string, Command> &commands) {
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream text(line);
        std::string name;
        text >> name;
        std::vector<std::string> words;
        for (std::string word; text >> word;)
            words.push_back(word);
        const auto command = commands.find(name);
        if (command == commands.end())
            throw std::runtime_error("unknown command: " + line);
        printFigures(command->second(Words(words)));
    }
}

} // namespace keyhold::bench
