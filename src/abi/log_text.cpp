// SPDX-License-Identifier: LGPL-2.1-or-later
#include "abi/log_text.h"

#include <glib.h>

namespace keyhold::abi {
namespace {

bool isHarmful(gunichar c) noexcept {
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

struct Piece {
    std::size_t size; ///< bytes; 1 where the text is no UTF-8
    bool isShown;
};

/// The first character of a text that is not empty.
Piece firstOf(std::string_view text) noexcept {
    const auto byte = static_cast<unsigned char>(text[0]);
    if (byte < 0x80)
        return {1, !isHarmful(byte)};
    const gunichar c = g_utf8_get_char_validated(text.data(), static_cast<gssize>(text.size()));
    if (c == static_cast<gunichar>(-1) || c == static_cast<gunichar>(-2))
        return {1, false};
    const std::size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    return {size, !isHarmful(c)};
}

void appendEscaped(std::string &line, std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n')
            line += "\\n";
        else if (c == '\t')
            line += "\\t";
        else
            line.append("\\x").append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
}

} // namespace

bool isOneLine(std::string_view text) noexcept {
    while (!text.empty()) {
        const Piece piece = firstOf(text);
        if (!piece.isShown)
            return false;
        text.remove_prefix(piece.size);
    }
    return true;
}

std::string oneLine(std::string_view text) {
    std::string line;
    line.reserve(text.size());
    while (!text.empty()) {
        const Piece piece = firstOf(text);
        const std::string_view bytes = text.substr(0, piece.size);
        if (piece.isShown)
            line += bytes;
        else
            appendEscaped(line, bytes);
        text.remove_prefix(piece.size);
    }
    return line;
}

} // namespace keyhold::abi
