// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/repeated_reasons.h"

#include <algorithm>
#include <string_view>

namespace keyhold::command {

namespace {

using Kind = Finding::Kind;

constexpr std::string_view kConsequence = "; new values are refused, too";

/// The worst first; those that are never about a key come last.
int rankOf(const Finding &finding) {
    if (finding.kind == Kind::missingKey)
        return finding.file.empty() ? 2 : 0;
    if (finding.kind == Kind::refused)
        return 1;
    constexpr int kSettings = 3;
    constexpr int kOther = 4;
    return finding.kind == Kind::settings ? kSettings : kOther;
}

/// Of a finding that begins with a consequence and goes on with its reason; else empty. Without the
/// remedy, which for new values is another one; but lost keys are a list, each with its own.
std::string_view reasonIn(const Finding &finding) {
    const std::string_view text = finding.text;
    const int rank = rankOf(finding);
    const std::size_t colon = text.find(": ");
    const bool hasReason = finding.file.empty() && rank >= 1 && rank <= 3;
    if (!hasReason || colon == text.npos)
        return {};
    const std::string_view reason = text.substr(colon + 2);
    return rank == 2 ? reason : reason.substr(0, reason.find("; "));
}

} // namespace

void removeRepeatedReasons(std::vector<Finding> &findings) {
    std::vector<bool> isRepeated(findings.size(), false);
    for (std::size_t i = 0; i < findings.size(); ++i) {
        const std::string reason(reasonIn(findings[i]));
        if (reason.empty())
            continue;
        const int rank = rankOf(findings[i]);
        for (std::size_t j = 0; j < findings.size(); ++j) {
            Finding &other = findings[j];
            const bool goesBefore = rankOf(other) < rank || (rankOf(other) == rank && j < i);
            if (!goesBefore || other.text.find(reason) == std::string::npos)
                continue;
            isRepeated[i] = true;
            if (findings[i].kind == Kind::refused && other.kind == Kind::missingKey &&
                !other.text.ends_with(kConsequence))
                other.text += kConsequence;
        }
    }
    std::size_t at = 0;
    std::erase_if(findings, [&](const Finding &) { return isRepeated[at++]; });
}

} // namespace keyhold::command
