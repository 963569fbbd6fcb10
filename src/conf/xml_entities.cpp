// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/xml_entities.h"

#include "conf/error.h"

#include <libxml/entities.h>
#include <libxml/parserInternals.h>

#include <cstring>

namespace keyhold {

namespace {

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
            if (isReferenced && node.content != nullptr)
                bytes_ += std::strlen(reinterpret_cast<const char *>(node.content));
            return bytes_ <= kMaxBytes;
        default:
            return true;
        }
    }

    std::size_t bytes_ = 0;
};

} // namespace

void refuseLargeExpansion(const xmlDoc &document, const std::string &place) {
    if (document.intSubset == nullptr)
        return;
    if (!Expansion().fits(document.children, false, 0))
        throw Error(ErrorCode::xmlMalformed, place + "Entities expand to more than " +
                                                 std::to_string(XML_MAX_TEXT_LENGTH) + " bytes\n");
}

} // namespace keyhold
