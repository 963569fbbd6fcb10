// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/severity.h"

#include <algorithm>
#include <functional>

namespace keyhold::command {

namespace {

int rankOf(Severity severity) noexcept {
    switch (severity) {
    case Severity::critical:
        return 3;
    case Severity::unknown:
        return 2;
    case Severity::warning:
        return 1;
    case Severity::good:
        break;
    }
    return 0;
}

} // namespace

const char *severityName(Severity severity) noexcept {
    switch (severity) {
    case Severity::good:
        return "ok";
    case Severity::warning:
        return "warning";
    case Severity::critical:
        return "critical";
    case Severity::unknown:
        break;
    }
    return "unknown";
}

Severity severityOf(Finding::Kind kind) noexcept {
    using Kind = Finding::Kind;
    if (kind == Kind::unseen)
        return Severity::unknown;
    const bool isCritical = isUnreadable(kind) || kind == Kind::otherDriver ||
                            kind == Kind::store || kind == Kind::refused || kind == Kind::library ||
                            kind == Kind::noSpace || kind == Kind::noInodes ||
                            kind == Kind::readOnly;
    return isCritical ? Severity::critical : Severity::warning;
}

Severity worst(Severity a, Severity b) noexcept {
    return rankOf(a) < rankOf(b) ? b : a;
}

Severity worstOf(const std::vector<Cause> &causes) noexcept {
    Severity severity = Severity::good;
    for (const Cause &cause : causes)
        severity = worst(severity, severityOf(cause.first.kind));
    return severity;
}

void sortBySeverity(std::vector<Cause> &causes) {
    std::ranges::stable_sort(causes, std::greater(), [](const Cause &cause) {
        return rankOf(severityOf(cause.first.kind));
    });
}

void sortBySeverity(std::vector<Finding> &findings) {
    std::ranges::stable_sort(findings, std::greater(), [](const Finding &finding) {
        return rankOf(severityOf(finding.kind));
    });
}

} // namespace keyhold::command
