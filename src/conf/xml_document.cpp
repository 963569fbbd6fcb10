// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_document.h"

#include "conf/xml_entities.h"
#include "conf/xml_parser.h"

#include <libxml/parserInternals.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace keyhold {

namespace {

// libvirt's flags. Without XML_PARSE_NOENT, DTDLOAD and HUGE, nothing external is loaded and
// libxml2's limits hold.
constexpr int kParseOptions = XML_PARSE_NONET | XML_PARSE_NOWARNING;

extern "C" int readSpan(void *context, char *buffer, int size) noexcept {
    auto &rest = *static_cast<std::span<const char> *>(context);
    const std::size_t count = std::min(rest.size(), static_cast<std::size_t>(size));
    if (count != 0)
        std::memcpy(buffer, rest.data(), count);
    rest = rest.subspan(count);
    return static_cast<int>(count);
}

} // namespace

XmlDocument parseXmlString(const char *xml) {
    XmlParser parser("", xml);
    XmlDocument document = parser.finish(xmlCtxtReadDoc(
        parser.context(), reinterpret_cast<const xmlChar *>(xml), nullptr, nullptr, kParseOptions));
    refuseLargeExpansion(*document, "");
    return document;
}

XmlDocument parseXmlFile(std::span<const char> content, const std::string &fileName) {
    XmlParser parser(fileName, std::string_view(content.data(), content.size()));
    xmlDoc *result = nullptr;
    // libxml2 limits the length of a text only in what it reads in pieces, as the stock driver
    // reads files. Where the limit cannot be met, reading at once is a third faster.
    if (content.size() <= XML_MAX_TEXT_LENGTH) {
        const char *data = content.empty() ? "" : content.data();
        result = xmlCtxtReadMemory(parser.context(), data, static_cast<int>(content.size()),
                                   nullptr, nullptr, kParseOptions);
    } else {
        result = xmlCtxtReadIO(parser.context(), readSpan, nullptr, &content, nullptr, nullptr,
                               kParseOptions);
    }
    XmlDocument document = parser.finish(result);
    refuseLargeExpansion(*document, fileName + ": ");
    return document;
}

} // namespace keyhold
