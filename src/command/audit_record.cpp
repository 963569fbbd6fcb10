// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit_record.h"

#include "audit/chain.h"
#include "audit/record.h"
#include "command/audit_time.h"
#include "conf/error.h"
#include "conf/nearest_word.h"

#include <algorithm>
#include <initializer_list>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

/// A member of members, as text; empty if it is not there.
std::string textAt(const Json &record, std::initializer_list<const char *> path) {
    const Json *at = &record;
    for (const char *const name : path) {
        if (!at->is_object())
            return {};
        const auto found = at->find(name);
        if (found == at->end())
            return {};
        at = &*found;
    }
    return at->is_string() ? at->get<std::string>() : at->dump();
}

std::vector<std::string> actions() {
    std::vector<std::string> names;
    for (int i = 0; i <= static_cast<int>(audit::Action::missing); ++i)
        names.emplace_back(nameOf(static_cast<audit::Action>(i)));
    return names;
}

void requireOneOf(const std::string &word, const std::vector<std::string> &known,
                  const char *what) {
    if (std::ranges::find(known, word) != known.end())
        return;
    std::string all;
    for (const std::string &each : known)
        all.append(all.empty() ? "" : ", ").append(each);
    const std::string guess = didYouMean(word, known);
    throw Error(ErrorCode::invalidArgument, "no record has the " + std::string(what) + " " +
                                                inQuotes(word) +
                                                (guess.empty() ? "; there are " + all : guess));
}

bool isOf(const Json &record, const SecretName &name) {
    if (name.uuid)
        return textAt(record, {"keyhold", "secret"}) == name.uuid->toString();
    return textAt(record, {"keyhold", "usage", "type"}) == usageWords(name.usage.type).type &&
           textAt(record, {"keyhold", "usage", "id"}) == name.usage.id;
}

bool isBy(const Json &record, const RecordFilter &filter) {
    if (!filter.userId.empty() && textAt(record, {"user", "id"}) == filter.userId)
        return true;
    return filter.user == textAt(record, {"user", "name"}) ||
           filter.user == textAt(record, {"keyhold", "sasl"}) ||
           filter.user == textAt(record, {"keyhold", "x509"});
}

std::string callerText(const Json &record) {
    const std::string id = textAt(record, {"user", "id"});
    const std::string name = textAt(record, {"user", "name"});
    std::string text = name.empty() && !id.empty() ? "uid " + id : name;
    const auto add = [&](const char *label, const std::string &what) {
        if (!what.empty())
            text.append(text.empty() ? "" : " ").append(label).append(what);
    };
    add("sasl:", textAt(record, {"keyhold", "sasl"}));
    add("x509:", textAt(record, {"keyhold", "x509"}));
    add("pid ", textAt(record, {"process", "pid"}));
    return text.empty() ? "-" : text;
}

/// What libvirt was asked for. Another daemon of libvirt that asks for a secret on its own account
/// comes as any client does, and what it was asked for itself is not known here.
std::string jobText(const Json &record) {
    const std::string job = textAt(record, {"keyhold", "job"});
    if (job.empty())
        return "-";
    const bool isElevated = textAt(record, {"keyhold", "elevated"}) == "true";
    return isElevated && job.starts_with("remoteDispatchSecret") ? job + " by a libvirt daemon"
                                                                 : job;
}

std::string secretText(const Json &record) {
    std::string text = textAt(record, {"keyhold", "secret"});
    const std::string type = textAt(record, {"keyhold", "usage", "type"});
    if (!type.empty())
        text.append(text.empty() ? "" : " ")
            .append(type + ":" + textAt(record, {"keyhold", "usage", "id"}));
    return text.empty() ? "-" : text;
}

} // namespace

void requireAction(const std::string &word) {
    if (!word.empty())
        requireOneOf(word, actions(), "action");
}

void requireOutcome(const std::string &word) {
    if (!word.empty())
        requireOneOf(word, {"success", "failure", "unknown"}, "outcome");
}

std::optional<Json> parseRecord(std::string_view line) {
    if (!audit::parseLine(line))
        return std::nullopt;
    Json record = Json::parse(line, nullptr, false);
    if (!record.is_object() || textAt(record, {"event", "sequence"}).empty())
        return std::nullopt;
    return record;
}

bool isWanted(const Json &record, const RecordFilter &filter) {
    const std::string time = textAt(record, {"@timestamp"});
    return (filter.since.empty() || time >= filter.since) &&
           (filter.until.empty() || time < filter.until) &&
           (filter.action.empty() || textAt(record, {"event", "action"}) == filter.action) &&
           (filter.outcome.empty() || textAt(record, {"event", "outcome"}) == filter.outcome) &&
           (!filter.secret || isOf(record, *filter.secret)) &&
           (filter.user.empty() || isBy(record, filter));
}

std::vector<std::string> recordHeadings() {
    return {"TIME", "ACTION", "OUTCOME", "REASON", "WHO", "JOB", "SECRET"};
}

std::vector<std::string> rowOf(const Json &record) {
    std::string reason = textAt(record, {"event", "reason"});
    return {localTimeText(textAt(record, {"@timestamp"})),
            textAt(record, {"event", "action"}),
            textAt(record, {"event", "outcome"}),
            reason.empty() ? "-" : std::move(reason),
            callerText(record),
            jobText(record),
            secretText(record)};
}

} // namespace keyhold::command
