// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_limits.h"

#include <algorithm>

namespace keyhold {

namespace {

bool mayHaveAttributes(std::string_view markup) {
    return !markup.empty() && markup[0] != '?' && markup[0] != '/' &&
           (markup[0] != '!' || markup.starts_with("!ATTLIST") || markup.starts_with("!ELEMENT"));
}

constexpr std::string_view kBetweenWords = "|,";

/// Literals, and words but the first of a list, in what follows a '<'.
std::size_t countAttributes(std::string_view markup) {
    constexpr std::string_view kMarks = "\"'|,>";
    std::size_t count = 0;
    std::size_t at = markup.find_first_of(kMarks);
    while (at != std::string_view::npos && markup[at] != '>') {
        ++count;
        if (kBetweenWords.find(markup[at]) == std::string_view::npos)
            at = markup.find(markup[at], at + 1);
        if (at != std::string_view::npos)
            at = markup.find_first_of(kMarks, at + 1);
    }
    return count;
}

} // namespace

// Nothing that libxml2 reads as a tag has a second '<' in it, whatever is around it and however
// malformed: no tag is missed, and at the worst those in comments are counted too.
std::optional<std::size_t> XmlLimits::passedIn(std::string_view text) {
    for (std::size_t at = text.find('<'); at != std::string_view::npos;) {
        const std::size_t next = text.find('<', at + 1);
        const std::string_view markup = text.substr(at + 1, next - at - 1);
        if (mayHaveAttributes(markup))
            written_ += countAttributes(markup);
        if (written_ > kMaxAttributes)
            return at;
        at = next;
    }
    return std::nullopt;
}

bool XmlLimits::passedInParameterEntity(std::string_view text) {
    written_ += static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return kBetweenWords.find(c) != std::string_view::npos; }));
    return passedIn(text).has_value() || written_ > kMaxAttributes;
}

} // namespace keyhold
