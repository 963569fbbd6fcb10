// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_parser.h"

#include "conf/error.h"
#include "conf/xml_limits.h"

#include <libxml/dict.h>
#include <libxml/encoding.h>

#include <algorithm>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

namespace keyhold {

namespace {

/// The name that libvirt gives to a document that is not a file.
constexpr const char *kClientDocument = "(definition_of_secret)";

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

struct XmlParser::State {
    std::string fileName;
    std::optional<std::string_view> limited;
    XmlLimits limits;
    xmlSAXHandler builder{};         ///< libxml2's own functions, which ours stand before
    std::optional<std::string> text; ///< of the first error
    bool isOutOfMemory = false;
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
XmlParser::State *stateOf(const xmlParserCtxt *parser) noexcept {
    return parser == nullptr ? nullptr : static_cast<XmlParser::State *>(parser->_private);
}

constexpr const char *kTooManyAttributes = "Too many attributes\n";
constexpr const char *kTooManyNames = "Too many names\n";
constexpr const char *kTooManyLookups = "Too many entity references\n";

/// Ends a parser that would do work out of proportion.
void stop(xmlParserCtxt &parser, const char *why, int line) noexcept {
    XmlParser::State &state = *stateOf(&parser);
    state.isStopped = true;
    state.note(why, line, nullptr);
    xmlStopParser(&parser);
}

void stop(xmlParserCtxt &parser, const char *why) noexcept {
    stop(parser, why, parser.input == nullptr ? 0 : parser.input->line);
}

using XmlBuffer = XmlPointer<xmlBuffer, xmlBufferFree>;

/// `content`, which is all that `parser` was given, in UTF-8, as far as it could be converted; null
/// if the parser, which has read the XML declaration, does not convert it.
XmlBuffer convertedBy([[maybe_unused]] const xmlParserCtxt &parser,
                      [[maybe_unused]] std::string_view content) {
#if LIBXML_VERSION < 21400 // later ones do not say whether they do
    const xmlParserInputBuffer *input = parser.input == nullptr ? nullptr : parser.input->buf;
    if (input == nullptr || input->encoder == nullptr)
        return nullptr;
    // The parser converts a few bytes at a time.
    const XmlPointer<xmlCharEncodingHandler, xmlCharEncCloseFunc> handler(
        xmlFindCharEncodingHandler(input->encoder->name));
    const XmlBuffer in(xmlBufferCreateStatic(const_cast<char *>(content.data()), content.size()));
    XmlBuffer out(xmlBufferCreate());
    if (!handler || !in || !out)
        throw std::bad_alloc();
    int left = 0;
    do {
        left = xmlBufferLength(in.get());
        static_cast<void>(xmlCharEncInFunc(handler.get(), out.get(), in.get()));
    } while (xmlBufferLength(in.get()) != left);
    return out;
#else
    return nullptr;
#endif
}

// Called by libxml2, through which nothing may be thrown.

extern "C" void noteParserError(void *data, XmlErrorPointer error) noexcept {
    auto *parser = static_cast<xmlParserCtxt *>(data);
    XmlParser::State *state = stateOf(parser);
    if (state == nullptr || error == nullptr || error->level != XML_ERR_FATAL ||
        error->message == nullptr)
        return;
    if (error->code == XML_ERR_NO_MEMORY)
        state->isOutOfMemory = true;
    else
        state->note(error->message, error->line, parser->input);
#if LIBXML_VERSION < 21200
    // It would go on to read, and call none of the functions below. Not xmlStopParser(): that takes
    // away the input, in which the callers of this stand.
    parser->instate = XML_PARSER_EOF;
#endif
}

/// Counts what is in the document: its encoding is known now.
extern "C" void startDocument(void *data) noexcept {
    auto *parser = static_cast<xmlParserCtxt *>(data);
    XmlParser::State &state = *stateOf(parser);
    state.builder.startDocument(parser);
    try {
        std::string_view text = *state.limited;
        const XmlBuffer converted = convertedBy(*parser, text);
        if (converted)
            text = {reinterpret_cast<const char *>(xmlBufferContent(converted.get())),
                    static_cast<std::size_t>(xmlBufferLength(converted.get()))};
        if (const auto place = state.limits.passedIn(text))
            stop(*parser, kTooManyAttributes,
                 1 + static_cast<int>(std::ranges::count(text.substr(0, *place), '\n')));
    } catch (const std::bad_alloc &) {
        state.isOutOfMemory = true;
        stop(*parser, "no memory");
    }
}

bool hasTooManyNames(const xmlParserCtxt &parser) noexcept {
    return static_cast<std::size_t>(xmlDictSize(parser.dict)) > XmlLimits::kMaxNames;
}

extern "C" void startElement(void *data, const xmlChar *name, const xmlChar *prefix,
                             const xmlChar *uri, int namespaces, const xmlChar **namespaceTexts,
                             int attributes, int added, const xmlChar **attributeTexts) noexcept {
    auto *parser = static_cast<xmlParserCtxt *>(data);
    // Of each: local name, prefix, namespace, begin and end of the value. Those added are the last.
    constexpr int kTexts = 5;
    std::size_t addedBytes = 0;
    for (int i = attributes - added; i < attributes; ++i) {
        const xmlChar *const *texts = attributeTexts + std::ptrdiff_t{i} * kTexts;
        addedBytes += static_cast<std::size_t>(texts[4] - texts[3]);
    }
    XmlParser::State &state = *stateOf(parser);
    if (state.limits.passedByElement(static_cast<std::size_t>(attributes) +
                                         static_cast<std::size_t>(namespaces),
                                     addedBytes))
        return stop(*parser, kTooManyAttributes);
    if (hasTooManyNames(*parser))
        return stop(*parser, kTooManyNames);
    state.builder.startElementNs(parser, name, prefix, uri, namespaces, namespaceTexts, attributes,
                                 added, attributeTexts);
}

extern "C" void noteInstruction(void *data, const xmlChar *target, const xmlChar *text) noexcept {
    auto *parser = static_cast<xmlParserCtxt *>(data);
    if (hasTooManyNames(*parser))
        return stop(*parser, kTooManyNames);
    stateOf(parser)->builder.processingInstruction(parser, target, text);
}

/// Takes the place of `kOwn`, libxml2's own function for one kind of declaration.
template <auto kOwn, typename... Parts>
void declare(void *data, Parts... parts) noexcept {
    auto *parser = static_cast<xmlParserCtxt *>(data);
    XmlParser::State &state = *stateOf(parser);
    (state.builder.*kOwn)(parser, parts...);
    if (state.limits.passedByDeclaration())
        stop(*parser, "Too many declarations\n");
}

extern "C" void declareEntity(void *data, const xmlChar *name, int type, const xmlChar *publicId,
                              const xmlChar *systemId, xmlChar *content) noexcept {
    auto *parser = static_cast<xmlParserCtxt *>(data);
    XmlParser::State &state = *stateOf(parser);
    if (type == XML_INTERNAL_PARAMETER_ENTITY
            ? state.limits.passedInParameterEntity(viewOf(content))
            : state.limits.passedIn(viewOf(content)).has_value())
        return stop(*parser, kTooManyAttributes);
    state.builder.entityDecl(parser, name, type, publicId, systemId, content);
}

// The time that libxml2 2.9.14 takes for entities in an attribute may grow with the power of their
// nesting, however short the text that results. An answer of "no such entity" alone would not stop
// it: then it looks for itself.

extern "C" xmlEntity *lookUpEntity(void *data, const xmlChar *name) noexcept {
    auto *parser = static_cast<xmlParserCtxt *>(data);
    XmlParser::State &state = *stateOf(parser);
    if (state.limits.passedByLookup()) {
        stop(*parser, kTooManyLookups);
        return nullptr;
    }
    return state.builder.getEntity(parser, name);
}

extern "C" xmlEntity *lookUpParameterEntity(void *data, const xmlChar *name) noexcept {
    auto *parser = static_cast<xmlParserCtxt *>(data);
    XmlParser::State &state = *stateOf(parser);
    xmlEntity *entity = state.builder.getParameterEntity(parser, name);
    if (state.limits.passedByLookup()) {
        stop(*parser, kTooManyLookups);
        return nullptr;
    }
    if (entity != nullptr && state.limits.passedByExpansion(viewOf(entity->content).size())) {
        stop(*parser, "Entities expand to more than 10000000 bytes\n");
        return nullptr;
    }
    return entity;
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

XmlParser::XmlParser(std::string fileName, std::optional<std::string_view> limited)
    : state_(std::make_unique<State>()) {
    // libxml2 2.9.14 does not guard its own initialization where it calls it.
    [[maybe_unused]] static const bool isInitialized = (xmlInitParser(), true);
    context_.reset(xmlNewParserCtxt());
    if (!context_ || context_->sax == nullptr)
        throw std::bad_alloc();
    state_->fileName = std::move(fileName);
    state_->limited = limited;
    context_->_private = state_.get();
    context_->sax->serror = noteParserError;
    if (!limited)
        return;
    state_->builder = *context_->sax;
    context_->sax->startDocument = startDocument;
    context_->sax->startElementNs = startElement;
    context_->sax->processingInstruction = noteInstruction;
    context_->sax->attributeDecl = declare<&xmlSAXHandler::attributeDecl>;
    context_->sax->elementDecl = declare<&xmlSAXHandler::elementDecl>;
    context_->sax->notationDecl = declare<&xmlSAXHandler::notationDecl>;
    context_->sax->entityDecl = declareEntity;
    context_->sax->getEntity = lookUpEntity;
    context_->sax->getParameterEntity = lookUpParameterEntity;
}

XmlParser::~XmlParser() = default;

XmlDocument XmlParser::finish(xmlDoc *result) const {
    XmlDocument document(result);
    // libxml2 may hand out what it had when it was stopped.
    if (document && !state_->isStopped)
        return document;
    if (state_->isOutOfMemory)
        throw std::bad_alloc();
    if (state_->text)
        throw Error(ErrorCode::xmlMalformed, *state_->text);
    const std::string &name = state_->fileName;
    throw Error(ErrorCode::xmlInvalid,
                "failed to parse xml document " + inQuotes(name.empty() ? kClientDocument : name));
}

} // namespace keyhold
