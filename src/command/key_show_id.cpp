// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/keys.h"

#include "command/store_keys.h"
#include "conf/error.h"

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

struct NamedKey {
    std::string file;
    const char *use; ///< "current", "earlier"; empty where no secret.conf was asked
};

std::vector<NamedKey> keysOf(const KeyOptions &options) {
    std::vector<NamedKey> keys;
    for (const std::string &file : options.files)
        keys.push_back({file, ""});
    if (!keys.empty())
        return keys;
    const Target target = chooseSettings(options.target);
    const StoreKeys store = readStoreKeys(target, findHolder(target.paths));
    const KeyPlan &plan = store.host.plan;
    if (!plan.keyPath.empty())
        keys.push_back({plan.keyPath, plan.encrypt && !plan.isDoubtful ? "current" : "earlier"});
    for (const std::string &path : plan.earlierKeyPaths)
        keys.push_back({path, "earlier"});
    if (keys.empty() && !store.findings.empty())
        throw Error(ErrorCode::configUnsupported, store.findings.front().text);
    if (keys.empty())
        throw Error(ErrorCode::notFound, "'" + target.paths.settingsFile + "' names no key");
    if (!store.host.settings.troubles.empty()) {
        for (const Finding &finding : store.findings)
            tell(finding.text);
    }
    return keys;
}

} // namespace

Exit showKeyIds(const KeyOptions &options) {
    Exit exit = Exit::clean;
    Json list = Json::array();
    for (const NamedKey &named : keysOf(options)) {
        try {
            std::string complaint;
            const Key key = readKey(named.file, &complaint);
            if (!complaint.empty())
                tell(complaint);
            if (options.json)
                list.push_back({{"file", named.file}, {"id", key.id()}, {"use", named.use}});
            else
                print(key.id() + "  " + named.file +
                      (*named.use == '\0' ? "" : std::string("  ") + named.use));
        } catch (const Error &error) {
            tell(error.fullText());
            exit = Exit::trouble;
        }
    }
    if (options.json)
        printJson({{"keys", list}});
    return exit;
}

} // namespace keyhold::command
