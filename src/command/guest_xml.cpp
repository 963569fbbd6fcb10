// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/guest_xml.h"

#include "conf/error.h"
#include "conf/xml_document.h"

#include <cstdlib>
#include <memory>
#include <string_view>

#include <libxml/parser.h>
#include <libxml/tree.h>

namespace keyhold::command {

namespace {

std::string_view nameOf(const xmlNode *node) {
    return node && node->name ? reinterpret_cast<const char *>(node->name) : "";
}

std::string attributeOf(const xmlNode *node, const char *name) {
    const std::unique_ptr<xmlChar, void (*)(void *)> text(
        ::xmlGetNoNsProp(node, reinterpret_cast<const xmlChar *>(name)),
        [](void *owned) { xmlFree(owned); });
    return text ? reinterpret_cast<const char *>(text.get()) : "";
}

const xmlNode *childOf(const xmlNode *node, std::string_view name) {
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && nameOf(child) == name)
            return child;
    }
    return nullptr;
}

/// The device, pool or volume that a node is in.
std::string placeOf(const xmlNode *node) {
    std::string name;
    for (; node && node->type == XML_ELEMENT_NODE; node = node->parent) {
        name = nameOf(node);
        if (name == "disk") {
            const xmlNode *const target = childOf(node, "target");
            return target ? "disk " + attributeOf(target, "dev") : name;
        }
        if (nameOf(node->parent) == "devices" || nameOf(node->parent) == "os")
            return name;
    }
    return name;
}

/// What the secret of an <auth> is for where its <secret> does not say, as in a pool of iSCSI.
UsageType typeOf(const xmlNode *secret) {
    const xmlNode *const parent = secret->parent;
    if (nameOf(parent) == "encryption")
        return UsageType::volume;
    std::string type = attributeOf(secret, "type");
    if (type.empty())
        type = attributeOf(parent, "type");
    return type == "ceph" ? UsageType::ceph : UsageType::iscsi;
}

class Search {
  public:
    void visit(const xmlNode *node) {
        for (; node; node = node->next) {
            if (node->type != XML_ELEMENT_NODE || nameOf(node) == "metadata")
                continue;
            const std::string_view parent = nameOf(node->parent);
            if (nameOf(node) == "secret" && (parent == "auth" || parent == "encryption"))
                add(node, attributeOf(node, "uuid"), attributeOf(node, "usage"), typeOf(node));
            else if (nameOf(node) == "encryption")
                add(node, attributeOf(node, "secret"), {}, UsageType::none);
            visit(node->children);
        }
    }

    std::vector<SecretReference> found;

  private:
    void add(const xmlNode *node, const std::string &uuid, const std::string &usage,
             UsageType type) {
        const auto parsed = Uuid::parse(uuid);
        if (parsed)
            found.push_back({parsed, {}, placeOf(node)});
        else if (!usage.empty())
            found.push_back({std::nullopt, {type, usage}, placeOf(node)});
    }
};

} // namespace

std::vector<SecretReference> secretReferencesIn(const std::string &xml) {
    const XmlDocument document(
        ::xmlReadMemory(xml.data(), static_cast<int>(xml.size()), nullptr, nullptr,
                        static_cast<int>(XML_PARSE_NONET) | static_cast<int>(XML_PARSE_NOERROR) |
                            static_cast<int>(XML_PARSE_NOWARNING)));
    if (!document)
        throw Error(ErrorCode::xmlMalformed, "libvirt gave XML that cannot be parsed");
    Search search;
    search.visit(::xmlDocGetRootElement(document.get()));
    return std::move(search.found);
}

} // namespace keyhold::command
