// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/encrypt_plan.h"

#include "command/cause.h"
#include "conf/conf_edit.h"
#include "conf/error.h"
#include "directory/inspection.h"
#include "os/store_directory.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>

namespace keyhold::command {

namespace {

constexpr std::string_view kPrefix = "secrets-";
constexpr std::string_view kSuffix = ".key";

/// 0 for another name.
unsigned numberIn(std::string_view name) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) ||
        name.size() <= kPrefix.size() + kSuffix.size())
        return 0;
    const std::string_view digits =
        name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    unsigned number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc() && end == digits.data() + digits.size() ? number : 0;
}

std::string variable(const char *name) {
    const char *const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): nothing sets it
    return value != nullptr ? value : "";
}

} // namespace

std::string nextKeyPlace(const std::string &directory, const std::vector<std::string> &named,
                         bool takesThere) {
    unsigned highest = 0;
    for (const std::string &path : named) {
        const auto normal = std::filesystem::path(path).lexically_normal();
        if (normal.parent_path() == directory)
            highest = std::max(highest, numberIn(normal.filename().string()));
    }
    unsigned there = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error))
        there = std::max(there, numberIn(at->path().filename().string()));
    const unsigned number = takesThere && there > highest ? there : std::max(there, highest) + 1;
    return directory + "/" + std::string(kPrefix) + std::to_string(number) + std::string(kSuffix);
}

std::string keyDirectoryOf(const Target &target) {
    switch (target.kind) {
    case Target::Kind::system:
        return "/var/lib/keyhold";
    case Target::Kind::session:
        if (const std::string data = variable("XDG_DATA_HOME"); data.starts_with('/'))
            return data + "/keyhold";
        if (const std::string home = variable("HOME"); home.starts_with('/'))
            return home + "/.local/share/keyhold";
        break;
    case Target::Kind::embedded:
        break;
    }
    throw Error(ErrorCode::invalidArgument,
                "name the file of the key with --key, outside of the root");
}

void requireNoRefusedPlainValue(const Target &target, const StoreKeys &keys) {
    if (keys.host.settings.plainValues != PlainValues::refuse || !exists(target))
        return;
    const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
    const auto accepting = withRules(
        *keys.host.policy, {.mustSeal = false, .convertExisting = false, .complaint = {}});
    if (!inspect(directory, *accepting).plain.empty())
        throw Error(
            ErrorCode::configUnsupported,
            inQuotes(target.paths.settingsFile) +
                " refuses values in plain (plain_values), and there are some; compare them, "
                "take plain_values out until this is done, and run it again");
}

void requireEveryKey(const Target &target, const StoreKeys &keys) {
    if (!exists(target))
        return;
    const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
    auto found = inWords(inspect(directory, *keys.host.policy).findings, directory.path());
    std::erase_if(found,
                  [](const Finding &each) { return each.kind != Finding::Kind::missingKey; });
    const std::vector<Cause> causes = causesOf(found);
    if (causes.empty())
        return;
    const auto lineOf = [](const Cause &cause) {
        const std::string file = inQuotes(cause.first.file);
        const std::string begin =
            cause.count == 1 ? file + " "
                             : std::to_string(cause.count) + " values, such as " + file + ": each ";
        return begin + cause.first.text;
    };
    for (const Cause &cause : std::span(causes).subspan(1))
        tell(lineOf(cause));
    throw Error(ErrorCode::invalidEncryptionKey,
                lineOf(causes.front()) + "; then run this again; nothing was changed");
}

void requireAwayFromStore(const Target &target, const std::string &place) {
    std::error_code error;
    const auto folder = std::filesystem::weakly_canonical(
        std::filesystem::path(target.paths.configDirectory).parent_path(), error);
    const auto key = std::filesystem::weakly_canonical(place, error);
    const auto [at, unused] = std::ranges::mismatch(folder, key);
    if (at == folder.end())
        throw Error(ErrorCode::invalidArgument,
                    inQuotes(place) + " is beside the store: whoever gets a copy of " +
                        inQuotes(folder.string()) +
                        " would have the values and the key to them; name another place with "
                        "--key");
}

std::string listWith(const std::string &path, const std::vector<std::string> &others) {
    std::string list = "[ " + confString(path);
    for (const std::string &other : others) {
        if (other != path)
            list += ", " + confString(other);
    }
    return list + " ]";
}

} // namespace keyhold::command
