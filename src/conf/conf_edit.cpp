// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/conf_edit.h"

#include "conf/conf_scan.h"
#include "conf/error.h"

#include <algorithm>
#include <optional>

namespace keyhold {

namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kLineEnds = "\r\n";
constexpr std::string_view kNote = "# keyhold: ";
constexpr std::string_view kNoteEnd = " #"; ///< of a comment that was there before

std::optional<ConfStatement> firstOf(std::string_view text, std::string_view name) {
    const auto statements = scanConf(text);
    const ConfStatement *const found = findStatement(statements, name);
    return found == nullptr ? std::nullopt : std::optional(*found);
}

std::size_t behind(std::string_view text, std::size_t at, std::string_view characters) {
    return std::min(text.find_first_not_of(characters, at), text.size());
}

struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// Blanks and note behind a value that ends at `at`; nothing if there is no note.
Span noteAt(std::string_view text, std::size_t at) {
    const std::size_t begin = behind(text, at, kBlanks);
    if (!text.substr(begin).starts_with(kNote))
        return {at, at};
    const std::size_t line = std::min(text.find_first_of(kLineEnds, begin), text.size());
    const std::size_t other = text.find(kNoteEnd, begin);
    return {at, std::min(line, other)};
}

std::string_view lineEndOf(std::string_view text) {
    const std::size_t at = text.find('\n');
    return at != std::string_view::npos && at > 0 && text[at - 1] == '\r' ? "\r\n" : "\n";
}

/// All that goes with a statement.
Span extentOf(std::string_view text, const ConfStatement &statement) {
    Span span{statement.begin, noteAt(text, statement.end).end};
    std::size_t next = behind(text, span.end, kBlanks);
    if (next < text.size() && text[next] == ';')
        next = behind(text, next + 1, kBlanks);
    const std::size_t before = text.find_last_not_of(kBlanks, span.begin - 1);
    const bool isFirst = span.begin == 0 || before == std::string_view::npos ||
                         kLineEnds.find(text[before]) != std::string_view::npos;
    const bool isLast = next == text.size() || kLineEnds.find(text[next]) != std::string_view::npos;
    span.end = next;
    if (!isFirst || !isLast)
        return span;
    span.begin = span.begin == 0 || before == std::string_view::npos ? 0 : before + 1;
    if (text.substr(next).starts_with("\r\n"))
        span.end = next + 2;
    else if (next < text.size())
        span.end = next + 1;
    return span;
}

} // namespace

std::string withStatement(std::string_view text, std::string_view name, std::string_view value,
                          std::string_view note) {
    std::string tail(value);
    if (!note.empty())
        tail += " " + std::string(note);
    std::string out(text);
    if (const auto found = firstOf(text, name)) {
        const Span former = noteAt(text, found->end);
        // A statement that follows on the same line would become part of the comment.
        const std::size_t next = behind(text, former.end, kBlanks);
        if (!note.empty() && next < text.size() && text[next] != '#' &&
            kLineEnds.find(text[next]) == std::string_view::npos) {
            out.replace(next, text[next] == ';' ? 1 : 0, lineEndOf(text));
        }
        // A comment right behind the value would become part of the note.
        if (!note.empty() && former.end < text.size() && text[former.end] == '#')
            tail += ' ';
        out.replace(found->valueBegin, former.end - found->valueBegin, tail);
        return out;
    }
    if (!out.empty() && kLineEnds.find(out.back()) == std::string_view::npos)
        out += lineEndOf(text);
    out += std::string(name) + " = " + tail;
    out += lineEndOf(text);
    if (!firstOf(out, name))
        throw Error(ErrorCode::configUnsupported,
                    "what is in the settings cannot be understood to its end; put it right first");
    return out;
}

std::string withoutStatement(std::string_view text, std::string_view name) {
    std::string out(text);
    while (const auto found = firstOf(out, name)) {
        const Span span = extentOf(out, *found);
        out.erase(span.begin, span.end - span.begin);
    }
    return out;
}

std::string_view noteOf(std::string_view text, std::string_view name) {
    const auto found = firstOf(text, name);
    if (!found)
        return {};
    const Span span = noteAt(text, found->end);
    if (span.begin == span.end)
        return {};
    const std::size_t begin = behind(text, span.begin, kBlanks);
    return text.substr(begin, span.end - begin);
}

std::string confString(std::string_view text) {
    if (text.find_first_of(kLineEnds) == std::string_view::npos) {
        for (const char quote : {'"', '\''}) {
            // Three at the begin open another kind of string.
            if (text.find(quote) == std::string_view::npos && !text.empty())
                return quote + std::string(text) + quote;
        }
    }
    throw Error(ErrorCode::configUnsupported,
                "a path with a line break or both kinds of quotes cannot be written to the "
                "settings; choose another");
}

} // namespace keyhold
