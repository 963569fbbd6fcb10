// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/keys.h"

#include "command/key_maker.h"
#include "command/lost_key.h"
#include "command/store_keys.h"
#include "conf/error.h"
#include "keys/key_file.h"

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

} // namespace

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
