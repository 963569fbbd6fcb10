// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_document.h"

#include "conf/error.h"
#include "conf/xml_parser.h"

#include <libxml/entities.h>
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

class Expansion {
  public:
    /// Walks over siblings and all below them; `isReferenced` within an entity. False as soon as
    /// the limit is passed.
    bool fits(const xmlNode *first, bool isReferenced, int depth) {
        if (depth > kMaxDepth)
            return false;
        for (const xmlNode *node = first; node != nullptr; node = node->next)
            if (!fitsOne(*node, isReferenced, depth))
                return false;
        return true;
    }

  private:
    static constexpr std::size_t kMaxBytes = XML_MAX_TEXT_LENGTH;
    // Elements and entities within each other: four times what libxml2 allows for elements alone.
    static constexpr int kMaxDepth = 1024;

    bool fitsOne(const xmlNode &node, bool isReferenced, int depth) {
        if (isReferenced && ++bytes_ > kMaxBytes)
            return false;
        switch (node.type) {
        case XML_ELEMENT_NODE:
            for (const xmlAttr *attribute = node.properties; attribute != nullptr;
                 attribute = attribute->next)
                if (!fits(attribute->children, isReferenced, depth + 1))
                    return false;
            return fits(node.children, isReferenced, depth + 1);
        case XML_ENTITY_REF_NODE: {
            const xmlEntity *entity = xmlGetDocEntity(node.doc, node.name);
            return entity == nullptr || fits(entity->children, true, depth + 1);
        }
        case XML_TEXT_NODE:
        case XML_CDATA_SECTION_NODE:
            if (isReferenced)
                bytes_ += viewOf(node.content).size();
            return bytes_ <= kMaxBytes;
        default:
            return true;
        }
    }

    std::size_t bytes_ = 0;
};

/// Refuses a document whose entity references, all together, would expand to more than 10,000,000
/// bytes (XML_MAX_TEXT_LENGTH of libxml2; every node takes one byte more). libxml2 2.9.14
/// accepts small documents that expand to gigabytes as soon as their text is asked for.
/// The error text begins with `place`. Raises xmlMalformed.
void refuseLargeExpansion(const xmlDoc &document, const std::string &place) {
    if (document.intSubset == nullptr)
        return;
    if (!Expansion().fits(document.children, false, 0))
        throw Error(ErrorCode::xmlMalformed, place + "Entities expand to more than " +
                                                 std::to_string(XML_MAX_TEXT_LENGTH) + " bytes\n");
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
