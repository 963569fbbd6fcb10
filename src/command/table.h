// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace keyhold::command {

/// Rows of one length, the first of which has the headings; prints them in columns. What could act
/// on a terminal is escaped. The last column may be of any length.
void printTable(std::vector<std::vector<std::string>> rows);

} // namespace keyhold::command
