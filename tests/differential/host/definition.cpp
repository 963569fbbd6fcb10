// SPDX-License-Identifier: LGPL-2.1-or-later
#include "definition.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace keyhold {

namespace {

constexpr std::string_view kChosenPrefix = "5ec2e700-0000-4000-8000-";

std::string element(const std::string &name, const std::string &text) {
    return "<" + name + ">" + text + "</" + name + ">";
}

std::string attribute(const char *name, const char *value) {
    return value ? std::string(" ") + name + "='" + value + "'" : std::string();
}

} // namespace

std::vector<std::string> usageTypes() {
    std::vector<std::string> types = {"none"};
    for (const UsageKind &kind : kUsageKinds)
        types.emplace_back(kind.type);
    return types;
}

std::string toXml(const Definition &definition) {
    std::string xml = "<secret" + attribute("ephemeral", definition.ephemeral) +
                      attribute("private", definition.isPrivate) + ">";
    if (!definition.uuid.empty())
        xml += element("uuid", definition.uuid);
    if (!definition.description.empty())
        xml += element("description", definition.description);
    if (definition.type) {
        const auto *const kind =
            std::ranges::find(kUsageKinds, std::string_view(definition.type), &UsageKind::type);
        const char *const child = kind == std::end(kUsageKinds) ? "name" : kind->child;
        xml += "<usage" + attribute("type", definition.type) + ">" + element(child, definition.id) +
               "</usage>";
    }
    return xml + "</secret>";
}

std::string chosenUuid(unsigned number) {
    char tail[16];
    std::snprintf(tail, sizeof tail, "%012x", number);
    return std::string(kChosenPrefix) + tail;
}

bool isChosenUuid(std::string_view uuid) {
    return uuid.starts_with(kChosenPrefix) || uuid == "00000000-0000-0000-0000-000000000000" ||
           uuid == "ffffffff-ffff-ffff-ffff-ffffffffffff";
}

} // namespace keyhold
