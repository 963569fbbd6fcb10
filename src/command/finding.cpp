// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/finding.h"

#include "conf/error.h"

#include <nlohmann/json.hpp>

namespace keyhold::command {

const char *nameOf(Finding::Kind kind) noexcept {
    switch (kind) {
    case Finding::Kind::settings:
        return "settings";
    case Finding::Kind::directory:
        return "directory";
    case Finding::Kind::definition:
        return "definition";
    case Finding::Kind::damaged:
        return "damaged";
    case Finding::Kind::missingKey:
        return "missing-key";
    case Finding::Kind::shadowed:
        return "shadowed";
    case Finding::Kind::orphan:
        return "orphan";
    case Finding::Kind::leftover:
        return "leftover";
    case Finding::Kind::aside:
        return "aside";
    case Finding::Kind::unknown:
        return "unknown";
    case Finding::Kind::mode:
        return "mode";
    case Finding::Kind::owner:
        return "owner";
    case Finding::Kind::unchanged:
        return "unchanged";
    }
    return "";
}

bool isUnreadable(Finding::Kind kind) noexcept {
    return kind == Finding::Kind::definition || kind == Finding::Kind::damaged ||
           kind == Finding::Kind::missingKey;
}

std::string textOf(const Finding &finding) {
    return std::string(nameOf(finding.kind)) + ": " +
           (finding.file.empty() ? "" : inQuotes(finding.file) + " ") + finding.text;
}

Json jsonOf(const Finding &finding) {
    return {{"kind", nameOf(finding.kind)}, {"file", finding.file}, {"text", finding.text}};
}

} // namespace keyhold::command
