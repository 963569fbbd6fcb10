// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_document.h"

#include "conf/error.h"
#include "conf/xml_entities.h"
#include "conf/xml_parser.h"

#include <libxml/parserInternals.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace keyhold {

namespace {

// libvirt's flags. Without XML_PARSE_NOENT, DTDLOAD and HUGE, nothing external is loaded and
// libxml2's limits hold.
constexpr int kParseOptions = XML_PARSE_NONET | XML_PARSE_NOWARNING;

/// Names the document of a client where libvirt does.
constexpr const char *kClientDocument = "(definition_of_secret)";

extern "C" int readSpan(void *context, char *buffer, int size) noexcept {
    auto &rest = *static_cast<std::span<const char> *>(context);
    const std::size_t count = std::min(rest.size(), static_cast<std::size_t>(size));
    if (count != 0)
        std::memcpy(buffer, rest.data(), count);
    rest = rest.subspan(count);
    return static_cast<int>(count);
}

XmlDocument checked(const XmlParser &parser, XmlDocument document, const std::string &name) {
    if (!document) {
        parser.raiseFirstError();
        throw Error(ErrorCode::xmlInvalid, "failed to parse xml document '" + name + "'");
    }
    refuseLargeExpansion(*document, name);
    return document;
}

} // namespace

XmlDocument parseXmlString(const char *xml) {
    XmlParser parser("");
    XmlDocument document(xmlCtxtReadDoc(parser.context(), reinterpret_cast<const xmlChar *>(xml),
                                        nullptr, nullptr, kParseOptions));
    return checked(parser, std::move(document), kClientDocument);
}

XmlDocument parseXmlFile(std::span<const char> content, const std::string &fileName) {
    XmlParser parser(fileName);
    XmlDocument document;
    // libxml2 limits the length of a text only in what it reads in pieces, as the stock driver
    // reads files. Where the limit cannot be met, reading at once is a third faster.
    if (content.size() <= XML_MAX_TEXT_LENGTH) {
        const char *data = content.empty() ? "" : content.data();
        document.reset(xmlCtxtReadMemory(parser.context(), data, static_cast<int>(content.size()),
                                         nullptr, nullptr, kParseOptions));
    } else {
        document.reset(xmlCtxtReadIO(parser.context(), readSpan, nullptr, &content, nullptr,
                                     nullptr, kParseOptions));
    }
    return checked(parser, std::move(document), fileName);
}

} // namespace keyhold
