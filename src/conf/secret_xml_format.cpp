// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/secret_xml.h"

#include <string_view>

namespace keyhold {

namespace {

void appendEscaped(std::string &xml, std::string_view text) {
    for (const char c : text) {
        switch (c) {
        case '&':
            xml += "&amp;";
            break;
        case '<':
            xml += "&lt;";
            break;
        case '>':
            xml += "&gt;";
            break;
        case '\'':
            xml += "&apos;";
            break;
        case '"':
            xml += "&quot;";
            break;
        case '\r':
            xml += "&#13;";
            break;
        default:
            xml += c;
        }
    }
}

void appendElement(std::string &xml, std::string_view indent, std::string_view name,
                   std::string_view text) {
    xml.append(indent).append("<").append(name).append(">");
    appendEscaped(xml, text);
    xml.append("</").append(name).append(">\n");
}

const char *yesNo(bool value) {
    return value ? "yes" : "no";
}

} // namespace

std::string formatSecretXml(const SecretDefinition &definition) {
    std::string xml;
    xml.reserve(256 + definition.description.size() + definition.usage.id.size());
    xml.append("<secret ephemeral='").append(yesNo(definition.isEphemeral));
    xml.append("' private='").append(yesNo(definition.isPrivate)).append("'>\n");
    appendElement(xml, "  ", "uuid", definition.uuid.toString());
    if (!definition.description.empty())
        appendElement(xml, "  ", "description", definition.description);
    if (definition.usage.type != UsageType::none) {
        const UsageWords words = usageWords(definition.usage.type);
        xml.append("  <usage type='").append(words.type).append("'>\n");
        appendElement(xml, "    ", words.element, definition.usage.id);
        xml += "  </usage>\n";
    }
    xml += "</secret>\n";
    return xml;
}

} // namespace keyhold
