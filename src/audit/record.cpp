// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audit/record.h"

#include "conf/error.h"
#include "conf/json_object.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <vector>

namespace keyhold::audit {

namespace {

/// `event.category` and `event.type` of the Elastic Common Schema.
struct Kind {
    const char *name;
    const char *category;
    const char *type;
};

Kind kindOf(Action action) noexcept {
    switch (action) {
    case Action::valueRead:
        return {"secret-value-read", "api", "access"};
    case Action::valueSet:
        return {"secret-value-set", "api", "change"};
    case Action::defined:
        return {"secret-defined", "api", "change"};
    case Action::undefined:
        return {"secret-undefined", "api", "deletion"};
    case Action::lookedUp:
        return {"secret-looked-up", "api", "access"};
    case Action::listed:
        return {"secrets-listed", "api", "access"};
    case Action::dumped:
        return {"secret-definition-read", "api", "access"};
    case Action::watched:
        return {"secret-events-watched", "api", "access"};
    case Action::started:
        return {"audit-started", "process", "start"};
    case Action::stopped:
        return {"audit-stopped", "process", "end"};
    case Action::reloaded:
        return {"driver-reloaded", "configuration", "change"};
    case Action::fileBegun:
        return {"audit-file-begun", "file", "creation"};
    case Action::resumed:
        return {"audit-resumed", "process", "info"};
    case Action::missing:
        break;
    }
    return {"audit-records-missing", "file", "error"};
}

const char *nameOf(Outcome outcome) noexcept {
    switch (outcome) {
    case Outcome::success:
        return "success";
    case Outcome::failure:
        return "failure";
    case Outcome::unknown:
        break;
    }
    return "unknown";
}

/// RFC 3339, in UTC.
std::string timeText(std::int64_t microseconds) {
    constexpr std::int64_t kSecond = 1'000'000;
    const std::time_t seconds = microseconds / kSecond;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, sizeof "2026-11-29T00:00:00"> text;
    static_cast<void>(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts));
    std::string fraction = std::to_string(kSecond + microseconds % kSecond);
    fraction.front() = '.';
    return text.data() + fraction + "Z";
}

// Where it can stand but as a member: within a string, the quotes would be escaped.
constexpr std::string_view kBeforeSequence = R"("event":{"kind":"event","sequence":)";

/// Empty if there are none.
std::string_view digitsOfSequence(std::string_view record) {
    const std::size_t place = record.find(kBeforeSequence);
    if (place == std::string_view::npos)
        return {};
    record.remove_prefix(place + kBeforeSequence.size());
    return record.substr(0, record.find_first_not_of("0123456789"));
}

JsonObject eventOf(const Record &record, std::uint64_t sequence) {
    const Kind kind = kindOf(record.action);
    const std::vector<std::string> category{kind.category};
    std::vector<std::string> types{kind.type};
    if (record.outcome == Outcome::failure && record.isCall)
        types.emplace_back(record.reason == "denied" ? "denied" : "error");
    JsonObject event;
    event.add("kind", "event");
    event.add("sequence", sequence);
    event.add("action", kind.name);
    event.add("category", category);
    event.add("type", types);
    event.add("outcome", nameOf(record.outcome));
    if (!record.reason.empty())
        event.add("reason", record.reason);
    return event;
}

/// Who calls where libvirt knows of nobody: a program that embeds it.
Caller ownProcess(const Source &source) {
    Caller caller;
    caller.isElevated = true;
    caller.userId = source.userId;
    caller.processId = source.pid;
    return caller;
}

void addCaller(JsonObject &json, JsonObject &ours, const Caller &caller) {
    const auto addText = [](JsonObject &object, const char *name, const auto &text) {
        if (text)
            object.add(name, *text);
    };
    JsonObject user;
    if (caller.userId)
        user.add("id", std::to_string(*caller.userId)); // a keyword in the schema
    addText(user, "name", caller.userName);
    json.add("user", user);
    if (caller.processId) {
        JsonObject process;
        process.add("pid", *caller.processId);
        json.add("process", process);
    }
    if (caller.processStart)
        ours.add("processStart", *caller.processStart);
    addText(ours, "sasl", caller.saslName);
    addText(ours, "x509", caller.x509Name);
    addText(ours, "selinux", caller.selinuxContext);
    ours.add("elevated", caller.isElevated);
}

JsonObject oursOf(const Record &record, const Source &source) {
    JsonObject ours;
    ours.add("instance", source.instance);
    ours.add("pid", source.pid);
    if (record.secret)
        ours.add("secret", record.secret->toString());
    if (record.usage && record.usage->type != UsageType::none) {
        JsonObject usage;
        usage.add("type", usageWords(record.usage->type).type);
        usage.add("id", record.usage->id);
        ours.add("usage", usage);
    }
    if (!record.job.empty())
        ours.add("job", record.job);
    if (!record.connection.empty())
        ours.add("connection", record.connection);
    if (record.follows)
        ours.add("follows", *record.follows);
    if (record.isLate)
        ours.add("late", true);
    if (record.count != 1)
        ours.add("count", record.count);
    if (record.previousChain)
        ours.add("previousChain", *record.previousChain);
    return ours;
}

} // namespace

const char *nameOf(Action action) noexcept {
    return kindOf(action).name;
}

std::optional<std::uint64_t> sequenceOf(std::string_view record) {
    const std::string_view digits = digitsOfSequence(record);
    std::uint64_t sequence = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
    return error == std::errc() ? std::optional(sequence) : std::nullopt;
}

std::string numbered(std::string_view record, std::uint64_t sequence) {
    const std::string_view digits = digitsOfSequence(record);
    if (digits.empty())
        throw Error(ErrorCode::internal, "no record of an audit trail");
    const auto place = static_cast<std::size_t>(digits.data() - record.data());
    std::string text(record.substr(0, place));
    text += std::to_string(sequence);
    text += record.substr(place + digits.size());
    return text;
}

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

void cutTexts(Record &record) {
    const auto cut = [](std::string &text) {
        constexpr std::string_view kMark = "[cut]";
        if (text.size() <= kMaxText)
            return;
        std::size_t end = kMaxText - kMark.size();
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
            --end; // not within a character of UTF-8
        text.resize(end);
        text += kMark;
    };
    cut(record.message);
    cut(record.job);
    cut(record.connection);
    if (record.usage)
        cut(record.usage->id);
    if (!record.caller)
        return;
    for (auto *name : {&record.caller->userName, &record.caller->saslName, &record.caller->x509Name,
                       &record.caller->selinuxContext}) {
        if (*name)
            cut(**name);
    }
}

Record ofDriver(Action action, std::string message) {
    Record record;
    record.action = action;
    record.time = now();
    record.message = std::move(message);
    return record;
}

std::string textOf(const Record &record, std::uint64_t sequence, const Source &source) {
    JsonObject json;
    json.add("@timestamp", timeText(record.time));
    if (!record.message.empty())
        json.add("message", record.message);
    json.add("event", eventOf(record, sequence));
    JsonObject ecs;
    ecs.add("version", "8.11.0");
    json.add("ecs", ecs);
    JsonObject boot;
    boot.add("id", source.bootId);
    JsonObject host;
    host.add("name", source.host);
    host.add("boot", boot);
    json.add("host", host);
    JsonObject ours = oursOf(record, source);
    if (record.isCall)
        addCaller(json, ours, record.caller.value_or(ownProcess(source)));
    json.add("keyhold", ours);
    std::string text = json.text();
    text.pop_back();
    return text;
}

} // namespace keyhold::audit
