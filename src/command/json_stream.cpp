// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/json_stream.h"

#include <iostream>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

constexpr std::size_t kIndent = 2;

} // namespace

void JsonStream::put(const char *name, const Json &value) {
    beginValue(name);
    printJsonAt(value, levels_.size() * kIndent);
}

void JsonStream::open(const char *name, char opening, char closing) {
    beginValue(name);
    std::cout << opening;
    levels_.push_back({closing});
}

void JsonStream::close() {
    const Level level = levels_.back();
    levels_.pop_back();
    if (level.hasAny)
        std::cout << '\n' << std::string(levels_.size() * kIndent, ' ');
    std::cout << level.closing;
    if (levels_.empty())
        std::cout << '\n';
}

void JsonStream::beginValue(const char *name) {
    if (levels_.empty())
        return;
    std::cout << (levels_.back().hasAny ? ",\n" : "\n")
              << std::string(levels_.size() * kIndent, ' ');
    levels_.back().hasAny = true;
    if (name)
        std::cout << '"' << name << "\": ";
}

} // namespace keyhold::command
