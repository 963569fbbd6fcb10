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
    for (const Json &each : json.at("members")) {
        Manifest::Member member;
        take(each, "name", member.name);
        take(each, "size", member.size);
        take(each, "sha256", member.sha256);
        out.members.push_back(std::move(member));
    }
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
    Json json = summaryOf(manifest);
    Json members = Json::array();
    for (const Manifest::Member &each : manifest.members)
        members.push_back({{"name", each.name}, {"size", each.size}, {"sha256", each.sha256}});
    json["members"] = std::move(members);
    // Names of files are other people's, and may be no UTF-8.
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Manifest parseManifest(std::string_view text) {
    try {
        return manifestOf(Json::parse(text));
    } catch (const Json::exception &) {
        throw Error(ErrorCode::valueUnreadable, "has a damaged " + std::string(kManifestName));
    }
}

} // namespace keyhold::command
