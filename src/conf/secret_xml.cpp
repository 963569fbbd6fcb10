// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/secret_xml.h"

#include "conf/error.h"
#include "conf/xml_document.h"
#include "conf/xml_schema.h"

#include <new>
#include <string_view>

namespace keyhold {

namespace {

// The results are those of the XPath expressions that the stock driver evaluates, such as
// string(./usage/@type): names without a namespace, the first match in document order, its text
// with that of everything below it, and no difference between "empty" and "not there".

bool isElement(const xmlNode &node, std::string_view name) {
    return node.type == XML_ELEMENT_NODE && node.ns == nullptr && viewOf(node.name) == name;
}

/// The first such element at or after `node`, among its siblings.
const xmlNode *nextElement(const xmlNode *node, std::string_view name) {
    while (node != nullptr && !isElement(*node, name))
        node = node->next;
    return node;
}

const xmlNode *childElement(const xmlNode &parent, std::string_view name) {
    return nextElement(parent.children, name);
}

const xmlAttr *attributeOf(const xmlNode &element, std::string_view name) {
    const xmlAttr *attribute = element.properties;
    while (attribute != nullptr && (attribute->ns != nullptr || viewOf(attribute->name) != name))
        attribute = attribute->next;
    return attribute;
}

/// Of an element or attribute; empty for null.
template <typename Node>
std::string textOf(const Node *node) {
    if (node == nullptr || node->children == nullptr)
        return {};
    if (const xmlNode &only = *node->children; only.next == nullptr && only.type == XML_TEXT_NODE)
        return std::string(viewOf(only.content));
    struct Free {
        void operator()(xmlChar *text) const noexcept { xmlFree(text); }
    };
    const std::unique_ptr<xmlChar, Free> content(
        xmlNodeGetContent(reinterpret_cast<const xmlNode *>(node)));
    if (!content)
        throw std::bad_alloc();
    return std::string(viewOf(content.get()));
}

bool yesNo(const xmlNode &root, const char *attribute) {
    const std::string word = textOf(attributeOf(root, attribute));
    if (word == "yes")
        return true;
    if (word == "no" || word.empty())
        return false;
    throw Error(ErrorCode::xmlInvalid, "invalid value of " + inQuotes(attribute));
}

Uuid readUuid(const xmlNode &root) {
    const std::string text = textOf(childElement(root, "uuid"));
    if (text.empty())
        return Uuid::generate();
    const std::optional<Uuid> uuid = Uuid::parse(text);
    if (!uuid)
        throw Error(ErrorCode::internal, "malformed uuid element");
    return *uuid;
}

UsageType readUsageType(const xmlNode *firstUsage) {
    const xmlAttr *attribute = nullptr;
    for (const xmlNode *usage = firstUsage; usage != nullptr && attribute == nullptr;
         usage = nextElement(usage->next, "usage"))
        attribute = attributeOf(*usage, "type");
    if (attribute == nullptr)
        throw Error(ErrorCode::xmlAttributeInvalid,
                    "Missing required attribute 'type' in element 'usage'");

    const std::string word = textOf(attribute);
    const std::optional<UsageType> type = usageTypeFromName(word);
    if (!type)
        throw Error(ErrorCode::xmlAttributeInvalid,
                    "Invalid value for attribute 'type' in element 'usage': " + inQuotes(word) +
                        ".");
    return *type;
}

Usage readUsage(const xmlNode &root) {
    const xmlNode *firstUsage = childElement(root, "usage");
    if (firstUsage == nullptr)
        return {};
    Usage read{readUsageType(firstUsage), {}};
    if (read.type == UsageType::none)
        return read;

    const UsageWords words = usageWords(read.type);
    const xmlNode *id = nullptr;
    for (const xmlNode *usage = firstUsage; usage != nullptr && id == nullptr;
         usage = nextElement(usage->next, "usage"))
        id = childElement(*usage, words.element);
    read.id = textOf(id);
    if (read.id.empty())
        throw Error(ErrorCode::internal, words.missingId);
    return read;
}

SecretDefinition readSecret(const XmlDocument &document, const char *schemaFile) {
    const xmlNode *root = xmlDocGetRootElement(document.get());
    if (root == nullptr)
        throw Error(ErrorCode::xmlInvalid, "missing root element");
    // A namespace of the root is not looked at; its children have none then and are not found.
    if (viewOf(root->name) != "secret")
        throw Error(ErrorCode::xmlRootUnexpected,
                    "expecting root element of 'secret', not " + inQuotes(viewOf(root->name)));
    if (schemaFile != nullptr)
        validateAgainstSchema(*document, schemaFile);

    SecretDefinition secret;
    secret.isEphemeral = yesNo(*root, "ephemeral");
    secret.isPrivate = yesNo(*root, "private");
    secret.uuid = readUuid(*root);
    secret.description = textOf(childElement(*root, "description"));
    secret.usage = readUsage(*root);
    return secret;
}

} // namespace

SecretDefinition parseSecretXml(const char *xml, const char *schemaFile) {
    return readSecret(parseXmlString(xml), schemaFile);
}

SecretDefinition parseSecretFile(std::span<const char> content, const std::string &fileName) {
    return readSecret(parseXmlFile(content, fileName), nullptr);
}

} // namespace keyhold
