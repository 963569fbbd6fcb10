// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/cause.h"

#include "conf/error.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

int rankOf(Finding::Kind kind) {
    using Kind = Finding::Kind;
    constexpr int kOthers = 3; // in the order of the enumeration
    if (isUnreadable(kind))
        return 0;
    if (kind == Kind::driver || kind == Kind::otherDriver || kind == Kind::drift)
        return 1;
    return kind == Kind::settings ? 2 : kOthers + static_cast<int>(kind);
}

std::string_view causeIn(const Finding &finding) {
    return finding.cause.empty() ? finding.text : finding.cause;
}

} // namespace

std::vector<Cause> causesOf(const std::vector<Finding> &findings) {
    std::map<std::pair<Finding::Kind, std::string_view>, std::size_t> places;
    std::vector<Cause> causes;
    for (const Finding &finding : findings) {
        const auto [place, isNew] =
            places.try_emplace({finding.kind, causeIn(finding)}, causes.size());
        if (isNew)
            causes.push_back({finding, 0});
        ++causes[place->second].count;
    }
    std::ranges::stable_sort(causes, [](const Cause &a, const Cause &b) {
        const int rankA = rankOf(a.first.kind);
        const int rankB = rankOf(b.first.kind);
        return rankA != rankB ? rankA < rankB : a.count > b.count;
    });
    return causes;
}

std::string textOf(const Cause &cause) {
    const Finding &first = cause.first;
    if (cause.count == 1 || first.file.empty())
        return textOf(first);
    return std::string(findingKindName(first.kind)) + ": " + inQuotes(first.file) + " and " +
           std::to_string(cause.count - 1) + " more: " + std::string(causeIn(first));
}

Json jsonOf(const std::vector<Cause> &causes) {
    Json list = Json::array();
    for (const Cause &cause : causes)
        list.push_back({{"kind", findingKindName(cause.first.kind)},
                        {"count", cause.count},
                        {"text", causeIn(cause.first)},
                        {"file", cause.first.file}});
    return list;
}

void printCauses(const std::vector<Finding> &findings, bool isVerbose, const char *indent) {
    if (!isVerbose) {
        for (const Cause &cause : causesOf(findings))
            print(indent + textOf(cause));
        return;
    }
    std::vector<const Finding *> sorted;
    sorted.reserve(findings.size());
    for (const Finding &finding : findings)
        sorted.push_back(&finding);
    std::ranges::stable_sort(sorted, {},
                             [](const Finding *finding) { return rankOf(finding->kind); });
    for (const Finding *finding : sorted)
        print(indent + textOf(*finding));
}

} // namespace keyhold::command
