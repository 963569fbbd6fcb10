// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/manifest.h"

#include "conf/error.h"

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

constexpr const char *kFormat = "keyhold-backup";
constexpr int kSchema = 1;

/// A member of a JSON object that must be there; raises nlohmann's exceptions.
template <typename T>
void take(const Json &from, const char *name, T &to) {
    from.at(name).get_to(to);
}

Manifest manifestOf(const Json &json) {
    if (json.at("format") != kFormat)
        throw Error(ErrorCode::valueUnreadable, "is no backup of keyhold");
    if (json.at("schema") != kSchema)
        throw Error(ErrorCode::valueUnreadable,
                    "is a backup of schema " + json.at("schema").dump() +
                        ", and this keyhold reads schema " + std::to_string(kSchema));
    Manifest out;
    take(json, "tool", out.tool);
    take(json, "host", out.host);
    take(json, "instance", out.instance);
    take(json, "directory", out.directory);
    take(json, "start", out.start);
    take(json, "end", out.end);
    take(json, "secrets", out.counts.secrets);
    take(json, "withoutValue", out.counts.withoutValue);
    take(json, "plain", out.counts.plain);
    take(json, "aes256cbc", out.counts.aes256cbc);
    take(json, "sealed", out.counts.sealed);
    for (const Json &each : json.at("leftOut")) {
        Manifest::LeftOut left;
        take(each, "file", left.file);
        take(each, "kind", left.kind);
        take(each, "text", left.text);
        out.leftOut.push_back(std::move(left));
    }
    if (!json.at("members").empty())
        throw Error(ErrorCode::valueUnreadable,
                    "has a damaged " + std::string(kManifestName)); // those that are whole are gone
    return out;
}

} // namespace

void ArchiveCounts::add(std::optional<ValueFormat> format, const std::string &keyId) {
    ++secrets;
    if (!format)
        ++withoutValue;
    else if (*format == ValueFormat::plain)
        ++plain;
    else if (*format == ValueFormat::aes256cbc)
        ++aes256cbc;
    else
        ++sealed[keyId];
}

Json summaryOf(const Manifest &manifest) {
    Json sealed = Json::object();
    for (const auto &[keyId, count] : manifest.counts.sealed)
        sealed[keyId] = count;
    Json leftOut = Json::array();
    for (const Manifest::LeftOut &each : manifest.leftOut)
        leftOut.push_back({{"file", each.file}, {"kind", each.kind}, {"text", each.text}});
    return {{"format", kFormat},
            {"schema", kSchema},
            {"tool", manifest.tool},
            {"host", manifest.host},
            {"instance", manifest.instance},
            {"directory", manifest.directory},
            {"start", manifest.start},
            {"end", manifest.end},
            {"secrets", manifest.counts.secrets},
            {"withoutValue", manifest.counts.withoutValue},
            {"plain", manifest.counts.plain},
            {"aes256cbc", manifest.counts.aes256cbc},
            {"sealed", sealed},
            {"leftOut", leftOut}};
}

std::string formatManifest(const Manifest &manifest) {
    // Names of files are other people's, and may be no UTF-8.
    std::string text = summaryOf(manifest).dump(1, ' ', false, Json::error_handler_t::replace);
    text.erase(text.size() - 2); // what closes the object
    text += ",\n \"members\": [";
    // A line each, and never all as JSON in memory: there may be hundreds of thousands.
    const char *separator = "\n  ";
    for (const Manifest::Member &each : manifest.members) {
        const Json member = {{"name", each.name}, {"size", each.size}, {"sha256", each.sha256}};
        text += separator + member.dump();
        separator = ",\n  ";
    }
    return text + "\n ]\n}\n";
}

Manifest parseManifest(std::string_view text) {
    std::vector<Manifest::Member> members;
    const auto takeMember = [&](int depth, Json::parse_event_t event, const Json &parsed) {
        if (depth != 2 || event != Json::parse_event_t::object_end || !parsed.contains("sha256"))
            return true;
        Manifest::Member member;
        take(parsed, "name", member.name);
        take(parsed, "size", member.size);
        take(parsed, "sha256", member.sha256);
        members.push_back(std::move(member));
        return false;
    };
    try {
        Manifest manifest = manifestOf(Json::parse(text, takeMember));
        manifest.members = std::move(members);
        return manifest;
    } catch (const Json::exception &) {
        throw Error(ErrorCode::valueUnreadable, "has a damaged " + std::string(kManifestName));
    }
}

} // namespace keyhold::command
