// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/keys.h"

#include "command/key_maker.h"
#include "command/store_keys.h"
#include "conf/error.h"
#include "conf/sodium.h"
#include "conf/uuid.h"
#include "directory/inspection.h"
#include "keys/key_file.h"
#include "os/durable_file.h"
#include "os/store_directory.h"
#include "seal/guarded_memory.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

/// The place that was named, else that of the current key; absolute.
std::string placeOf(const KeyOptions &options, const StoreKeys &store, const Target &target) {
    if (!options.files.empty())
        return std::filesystem::absolute(options.files.front()).lexically_normal().string();
    const KeyPlan &plan = store.host.plan;
    if (plan.source == KeyPlan::Source::setting && !mayBeAKey(posixFileSystem(), plan.keyPath))
        return plan.keyPath;
    if ((plan.source == KeyPlan::Source::setting || !store.host.settings.problems.empty()) &&
        !store.findings.empty())
        throw Error(ErrorCode::invalidArgument,
                    "name the file to make; " + store.findings.front().text);
    throw Error(ErrorCode::invalidArgument, "name the file to make; '" + target.paths.settingsFile +
                                                "' has no secrets_encryption_key that names one");
}

bool isNamedBy(const KeyPlan &plan, const std::string &place) {
    const auto isPlace = [&](const std::string &path) {
        return std::filesystem::path(path).lexically_normal() == place;
    };
    return isPlace(plan.keyPath) || std::ranges::any_of(plan.earlierKeyPaths, isPlace);
}

} // namespace

void requireNoLostKey(const Target &target, const StoreKeys &store, const std::string &place) {
    if (!isNamedBy(store.host.plan, place) || !exists(target))
        return;
    const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
    const Inspection inspection = inspect(directory, *store.host.policy);
    const auto needsKey = [](const StoreFinding &finding) {
        using Kind = StoreFinding::Kind;
        return finding.kind == Kind::missingKey ||
               ((finding.kind == Kind::damagedValue || finding.kind == Kind::unreadableFile) &&
                finding.file.ends_with(".aes256cbc"));
    };
    const auto found = std::ranges::find_if(inspection.findings, needsKey);
    if (found != inspection.findings.end())
        throw Error(ErrorCode::configUnsupported,
                    "'" + target.paths.settingsFile + "' names '" + place + "' as a key, and '" +
                        directory.pathOf(found->file) +
                        "' needs a key that is not there; put the lost one back, or make the new "
                        "one at another place");
}

void makeKeyFile(const std::string &place) {
    const std::size_t slash = place.rfind('/');
    StoreDirectory directory(posixFileSystem(), place.substr(0, std::max<std::size_t>(slash, 1)));
    const std::string name = place.substr(slash + 1);
    if (name.empty())
        throw Error(ErrorCode::invalidArgument, "'" + place + "' names no file");
    const std::string staged = name + "." + Uuid::generate().toString();
    GuardedMemory key(Key::kSize);
    fillRandom(key.bytes());
    writeSyncedFile(directory, staged, key.bytes());
    // A link never takes the place of a file, as a rename would.
    const int result =
        directory.fileSystem().link(directory.number(), staged.c_str(), name.c_str());
    directory.unlink(staged);
    if (result == -EEXIST)
        throw Error(ErrorCode::fileAccess, "'" + place + "' is there already; it stays as it is");
    if (result < 0)
        throw Error(ErrorCode::fileAccess, "cannot make '" + place + "'", -result);
    directory.syncOrRaise();
}

Exit generateKey(const KeyOptions &options) {
    const Target target = chooseSettings(options.target);
    const StoreKeys store = readStoreKeys(target, findHolder(target.paths));
    const std::string place = placeOf(options, store, target);
    requireNoLostKey(target, store, place);
    makeKeyFile(place);
    const Key key(fetchKey(*namedKeyFile(place)).raw());
    if (options.json)
        printJson({{"file", place}, {"id", key.id()}});
    else
        print(key.id() + "  " + place);
    tell("keep a copy of '" + place + "' in another place: without it, what it seals is lost");
    return Exit::clean;
}

} // namespace keyhold::command
