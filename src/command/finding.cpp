// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/finding.h"

#include "conf/error.h"
#include <utility>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

constexpr const char *kRemedyOfSameUse = "; give it another use or remove it, and reload";
constexpr const char *kRemedyOfDamage = "; put the file right and reload, or set the value again";

Finding inWords(const StoreFinding &found, const std::string &directory) {
    using Of = StoreFinding::Kind;
    using Kind = Finding::Kind;
    const auto pathOf = [&](const std::string &name) { return directory + "/" + name; };
    const auto say = [&](Kind kind, std::string text, std::string cause = {}) {
        return Finding{kind, pathOf(found.file), std::move(text), std::move(cause)};
    };
    switch (found.kind) {
    case Of::openDirectory:
        return {Kind::directory, directory, "is open to other users; chmod 0700 it"};
    case Of::missingDefinition:
        return say(Kind::definition, "is not there");
    case Of::unreadableDefinition:
        return say(Kind::definition, "cannot be read: " + found.reason, "cannot be read");
    case Of::definesAnother:
        return say(Kind::definition,
                   "defines another secret, '" + found.other +
                       "'; give the file the name of its uuid",
                   "defines another secret; give the file the name of its uuid");
    case Of::misnamedDefinition:
        return say(Kind::definition,
                   "is not loaded, because its name is not a uuid in lower case; rename it");
    case Of::sameUse:
        return say(Kind::definition,
                   "is not loaded, because '" + pathOf(found.other) + "' has the same use" +
                       kRemedyOfSameUse,
                   std::string("is not loaded, because another has the same use") +
                       kRemedyOfSameUse);
    case Of::unreadableFile:
        return say(Kind::damaged, "cannot be read: " + found.reason, "cannot be read");
    case Of::damagedValue:
        return say(Kind::damaged, found.reason + kRemedyOfDamage, found.cause + kRemedyOfDamage);
    case Of::missingKey:
        return {Kind::missingKey, pathOf(found.file), found.reason, {}, found.keyId};
    case Of::refusedPlain:
        return say(Kind::refusedPlain, found.reason);
    case Of::shadowedValue:
        return say(Kind::shadowed,
                   "does not count, because '" + pathOf(found.other) +
                       "' goes before it; remove the one with the wrong value and "
                       "reload",
                   "does not count, because a file of another format goes before it; remove the "
                   "one with the wrong value and reload");
    case Of::orphanedValue:
        return say(Kind::orphan, "belongs to no secret; put its definition back, or remove it");
    case Of::privateName:
        return say(Kind::leftover,
                   "is left over from an interrupted change; the next start of a daemon, or seal, "
                   "rekey or unseal without one, puts it right");
    case Of::quarantinedValue:
        return say(Kind::aside,
                   "was quarantined because nobody could read it, it belonged to no secret, or "
                   "libvirt had encrypted it and it was re-encrypted; put it right, or remove it "
                   "once its secret has the value it should have");
    case Of::unknownName:
        return say(Kind::unknown,
                   "is nothing that this driver knows; if it is a copy, it may hold a value");
    case Of::writable:
        return say(Kind::mode, "can be written by other users; chmod 0600 it");
    case Of::accessible:
        return say(Kind::mode, "can be read or written by other users; chmod 0600 it");
    case Of::foreignOwner:
        return say(Kind::owner, "belongs to user " + std::to_string(found.owner) +
                                    "; chown it to " + std::to_string(found.rightOwner));
    }
    return {};
}

} // namespace

std::vector<Finding> inWords(const std::vector<StoreFinding> &found, const std::string &directory) {
    std::vector<Finding> words;
    words.reserve(found.size());
    for (const StoreFinding &each : found)
        words.push_back(inWords(each, directory));
    return words;
}

const char *findingKindName(Finding::Kind kind) noexcept {
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
    case Finding::Kind::refusedPlain:
        return "refused-plain";
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
    case Finding::Kind::driver:
        return "driver";
    case Finding::Kind::otherDriver:
        return "other-driver";
    case Finding::Kind::drift:
        return "drift";
    case Finding::Kind::store:
        return "store";
    case Finding::Kind::unfinished:
        return "unfinished";
    case Finding::Kind::refused:
        return "refused";
    case Finding::Kind::plain:
        return "plain";
    case Finding::Kind::plainCopy:
        return "plain-copy";
    case Finding::Kind::keyFile:
        return "key-file";
    case Finding::Kind::library:
        return "library";
    case Finding::Kind::noSpace:
        return "no-space";
    case Finding::Kind::noInodes:
        return "no-inodes";
    case Finding::Kind::readOnly:
        return "read-only";
    case Finding::Kind::littleSpace:
        return "little-space";
    case Finding::Kind::fewInodes:
        return "few-inodes";
    case Finding::Kind::unseen:
        return "unseen";
    }
    return "";
}

bool isUnreadable(Finding::Kind kind) noexcept {
    return kind == Finding::Kind::definition || kind == Finding::Kind::damaged ||
           kind == Finding::Kind::missingKey || kind == Finding::Kind::refusedPlain;
}

std::string textOf(const Finding &finding) {
    return std::string(findingKindName(finding.kind)) + ": " +
           (finding.file.empty() ? "" : inQuotes(finding.file) + " ") + finding.text;
}

Json jsonOf(const Finding &finding) {
    return {
        {"kind", findingKindName(finding.kind)}, {"file", finding.file}, {"text", finding.text}};
}

Json jsonOf(std::vector<Finding> &&findings) {
    Json array = Json::array();
    for (Finding &each : findings)
        array.push_back(jsonOf(std::exchange(each, {})));
    return array;
}

} // namespace keyhold::command
