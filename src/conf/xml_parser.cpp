// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_parser.h"

#include "conf/error.h"

#include <libxml/SAX2.h>

#include <new>
#include <optional>
#include <string_view>
#include <utility>

namespace keyhold {

namespace {

/// The name that libvirt gives to a document that is not a file.
constexpr const char *kClientDocument = "(definition_of_secret)";

// The time that libxml2 2.9.14 takes for entities in an attribute may grow with the power of their
// nesting, however short the text that results.
constexpr int kMaxEntityLookups = 100'000;

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
    int entityLookups = 0;
    bool isStopped = false;

    void note(const char *message, int line, const xmlParserInput *input) noexcept {
        if (text || isOutOfMemory)
            return;
        try {
            const std::string lineText = std::to_string(line);
            const std::string place =
                fileName.empty() ? "at line " + lineText : fileName + ":" + lineText;
            text = place + ": " + message + (input == nullptr ? std::string() : excerpt(*input));
        } catch (...) {
            isOutOfMemory = true;
        }
    }
};

namespace {

/// What belongs to a parser at work. Within an entity that is one of libxml2's own, which shares
/// the private pointer of ours.
XmlParser::FirstError *firstErrorOf(const xmlParserCtxt *parser) noexcept {
    return parser == nullptr ? nullptr : static_cast<XmlParser::FirstError *>(parser->_private);
}

// Called by libxml2, through which nothing may be thrown.

extern "C" void noteParserError(void *data, XmlErrorPointer error) noexcept {
    const auto *parser = static_cast<const xmlParserCtxt *>(data);
    XmlParser::FirstError *first = firstErrorOf(parser);
    if (first == nullptr || error == nullptr || error->level != XML_ERR_FATAL ||
        error->message == nullptr)
        return;
    if (error->code == XML_ERR_NO_MEMORY)
        first->isOutOfMemory = true;
    else
        first->note(error->message, error->line, parser->input);
}

/// Stops a parser that asks too often. An answer of "no such entity" alone would not stop it: then
/// libxml2 looks for itself.
bool isOneTooMany(void *data) noexcept {
    auto *parser = static_cast<xmlParserCtxt *>(data);
    XmlParser::FirstError *first = firstErrorOf(parser);
    if (first == nullptr || first->entityLookups < kMaxEntityLookups) {
        if (first != nullptr)
            ++first->entityLookups;
        return false;
    }
    first->isStopped = true;
    first->note("Too many entity references\n", parser->input == nullptr ? 0 : parser->input->line,
                parser->input);
    xmlStopParser(parser);
    return true;
}

extern "C" xmlEntity *lookUpEntity(void *data, const xmlChar *name) noexcept {
    return isOneTooMany(data) ? nullptr : xmlSAX2GetEntity(data, name);
}

extern "C" xmlEntity *lookUpParameterEntity(void *data, const xmlChar *name) noexcept {
    return isOneTooMany(data) ? nullptr : xmlSAX2GetParameterEntity(data, name);
}

extern "C" void ignoreError(void *, XmlErrorPointer) noexcept {}

} // namespace

XmlParser::QuietThread::QuietThread() noexcept
    : handler_(xmlStructuredError),
      data_(xmlStructuredErrorContext) {
    xmlSetStructuredErrorFunc(nullptr, ignoreError);
}

XmlParser::QuietThread::~QuietThread() {
    xmlSetStructuredErrorFunc(data_, handler_);
}

XmlParser::XmlParser(std::string fileName) : firstError_(std::make_unique<FirstError>()) {
    // libxml2 2.9.14 does not guard its own initialization where it calls it.
    [[maybe_unused]] static const bool isInitialized = (xmlInitParser(), true);
    context_.reset(xmlNewParserCtxt());
    if (!context_ || context_->sax == nullptr)
        throw std::bad_alloc();
    firstError_->fileName = std::move(fileName);
    context_->_private = firstError_.get();
    context_->sax->serror = noteParserError;
    context_->sax->getEntity = lookUpEntity;
    context_->sax->getParameterEntity = lookUpParameterEntity;
}

XmlParser::~XmlParser() = default;

XmlDocument XmlParser::finish(xmlDoc *result) const {
    XmlDocument document(result);
    // libxml2 may hand out what it had when it was stopped.
    if (document && !firstError_->isStopped)
        return document;
    if (firstError_->isOutOfMemory)
        throw std::bad_alloc();
    if (firstError_->text)
        throw Error(ErrorCode::xmlMalformed, *firstError_->text);
    const std::string &name = firstError_->fileName;
    throw Error(ErrorCode::xmlInvalid,
                "failed to parse xml document '" + (name.empty() ? kClientDocument : name) + "'");
}

} // namespace keyhold
