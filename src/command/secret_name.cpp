// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/secret_name.h"

#include "conf/error.h"

namespace keyhold::command {

std::string SecretName::text() const {
    return uuid ? uuid->toString() : usageText(usage);
}

SecretName parseSecretName(const std::string &text) {
    if (const auto uuid = Uuid::parse(text))
        return {uuid, {}};
    const std::size_t colon = text.find(':');
    if (colon != std::string::npos && colon + 1 < text.size()) {
        const auto type = usageTypeFromName(text.substr(0, colon));
        if (type && *type != UsageType::none)
            return {std::nullopt, {*type, text.substr(colon + 1)}};
    }
    throw Error(ErrorCode::invalidArgument,
                inQuotes(text) + " names no secret; give its uuid, or TYPE:ID, where TYPE is "
                                 "volume, ceph, iscsi, tls or vtpm");
}

std::string usageText(const Usage &usage) {
    const char *const type = usageWords(usage.type).type;
    std::string text = type ? type : "unknown";
    if (usage.type != UsageType::none)
        text += ":" + usage.id;
    return text;
}

} // namespace keyhold::command
