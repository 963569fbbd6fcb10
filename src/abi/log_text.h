// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace keyhold::abi {

/// Whether oneLine() would change the text. Never fails.
[[nodiscard]] bool isOneLine(std::string_view text) noexcept;

/// The text such that it is shown as one line, left to right, and cannot act on a terminal: names,
/// usages and URIs in it are other people's. Control characters (C0, DEL, C1), line and paragraph
/// separators, those that change the direction of writing, and bytes that are no UTF-8 become `\n`,
/// `\t` or, byte by byte, `\xHH`. All others stay, backslashes too: it is for reading.
[[nodiscard]] std::string oneLine(std::string_view text);

} // namespace keyhold::abi
