// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_parser.h"

#include "conf/error.h"

#include <new>
#include <optional>
#include <string_view>
#include <utility>

namespace keyhold {

namespace {

/// The line of the input at which the parser stands and, below it, a caret under its position.
/// Empty if there is no such line. Past the last line end it is the line before, as in
/// libvirt 11.3.
std::string excerpt(const xmlParserInput &input) {
    if (input.base == nullptr || input.cur < input.base || input.end < input.cur)
        return {};
    const std::string_view text(reinterpret_cast<const char *>(input.base),
                                static_cast<std::size_t>(input.end - input.base));
    const auto position = static_cast<std::size_t>(input.cur - input.base);
    constexpr std::string_view kLineEnd = "\r\n";

    std::size_t anchor = position;
    if (anchor > 0 && (anchor == text.size() || text[anchor] == '\0'))
        --anchor;
    anchor = text.find_last_not_of(kLineEnd, anchor);
    if (anchor == std::string_view::npos)
        anchor = 0;
    const std::size_t before = text.find_last_of(kLineEnd, anchor);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    constexpr std::string_view kLineEndOrNul("\r\n\0", 3);
    const std::string_view line =
        text.substr(begin, text.substr(begin).find_first_of(kLineEndOrNul));
    if (line.empty())
        return {};

    std::string lines(line);
    lines += '\n';
    // A position before the line wraps around and so puts the caret at its end, like libvirt's.
    for (const char c : line.substr(0, position - begin))
        lines += c == '\t' ? '\t' : '-';
    lines += '^';
    return lines;
}

} // namespace

struct XmlParser::FirstError {
    std::string fileName;
    std::optional<std::string> text;
    bool isOutOfMemory = false;

    void note(const xmlError &error, const xmlParserInput *input) {
        if (text || isOutOfMemory || error.level != XML_ERR_FATAL || error.message == nullptr)
            return;
        if (error.code == XML_ERR_NO_MEMORY) {
            isOutOfMemory = true;
            return;
        }
        const std::string line = std::to_string(error.line);
        std::string place = fileName.empty() ? "at line " + line : fileName + ":" + line;
        text = std::move(place) + ": " + error.message +
               (input == nullptr ? std::string() : excerpt(*input));
    }
};

namespace {

/// Called by libxml2, through which nothing may be thrown. `data` is the parser at work: within an
/// entity that is one of libxml2's own, which shares the private pointer of ours.
extern "C" void noteParserError(void *data, XmlErrorPointer error) noexcept {
    const auto *parser = static_cast<const xmlParserCtxt *>(data);
    if (parser == nullptr || parser->_private == nullptr || error == nullptr)
        return;
    auto &first = *static_cast<XmlParser::FirstError *>(parser->_private);
    try {
        first.note(*error, parser->input);
    } catch (...) {
        first.isOutOfMemory = true;
    }
}

} // namespace

XmlParser::XmlParser(std::string fileName)
    : firstError_(std::make_unique<FirstError>()),
      context_(xmlNewParserCtxt()) {
    if (!context_ || context_->sax == nullptr)
        throw std::bad_alloc();
    firstError_->fileName = std::move(fileName);
    context_->_private = firstError_.get();
    context_->sax->serror = noteParserError;
}

XmlParser::~XmlParser() = default;

void XmlParser::raiseFirstError() const {
    if (firstError_->isOutOfMemory)
        throw std::bad_alloc();
    if (firstError_->text)
        throw Error(ErrorCode::xmlMalformed, *firstError_->text);
}

} // namespace keyhold
