// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/table.h"

#include "abi/log_text.h"
#include "command/output.h"

#include <algorithm>

namespace keyhold::command {

namespace {

/// Characters of a UTF-8 text; near enough to columns.
std::size_t widthOf(const std::string &text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char each) { return (static_cast<unsigned char>(each) & 0xC0U) != 0x80; }));
}

} // namespace

void printTable(std::vector<std::vector<std::string>> rows) {
    std::vector<std::size_t> widths(rows.empty() ? 0 : rows.front().size());
    for (auto &row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            row[i] = abi::oneLine(row[i]);
            widths[i] = std::max(widths[i], widthOf(row[i]));
        }
    }
    for (const auto &row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size())
                line.append(widths[i] - widthOf(row[i]) + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        print(line);
    }
}

} // namespace keyhold::command
