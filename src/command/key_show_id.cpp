// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/keys.h"

#include "command/store_keys.h"
#include "conf/error.h"

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

struct UsedSource {
    std::unique_ptr<KeySource> source;
    const char *use; ///< "current", "earlier"
};

std::vector<UsedSource> sourcesOf(const KeyOptions &options) {
    const Target target = chooseSettings(options.target);
    StoreKeys store = readStoreKeys(target, findHolder(target.paths));
    const KeyPlan &plan = store.host.plan;
    std::vector<UsedSource> keys;
    if (store.host.primarySource)
        keys.push_back({std::move(store.host.primarySource),
                        plan.encrypt && !plan.isDoubtful ? "current" : "earlier"});
    for (auto &source : store.host.earlierSources)
        keys.push_back({std::move(source), "earlier"});
    if (keys.empty() && !store.findings.empty())
        throw Error(ErrorCode::configUnsupported, store.findings.front().text);
    if (keys.empty())
        throw Error(ErrorCode::notFound, "'" + target.paths.settingsFile + "' names no key");
    if (!store.host.settings.problems.empty()) {
        for (const Finding &finding : store.findings)
            tell(finding.text);
    }
    return keys;
}

} // namespace

Exit showKeyIds(const KeyOptions &options) {
    Exit exit = Exit::clean;
    Json list = Json::array();
    const auto show = [&](const std::string &name, const char *use, const auto &fetchIt) {
        try {
            const FetchedKey fetched = fetchIt();
            const std::string id = Key(fetched.raw()).id();
            if (!fetched.complaint.empty())
                tell(fetched.complaint);
            if (options.json)
                list.push_back({{"file", name}, {"id", id}, {"use", use}});
            else
                print(id + "  " + name + (*use == '\0' ? "" : std::string("  ") + use));
        } catch (const Error &error) {
            tell(error.fullText());
            exit = Exit::failure;
        }
    };
    for (const std::string &file : options.files)
        show(file, "", [&] { return fetchKey(*namedKeyFile(file)); });
    if (options.files.empty()) {
        for (const UsedSource &used : sourcesOf(options))
            show(used.source->name(), used.use, [&] { return fetchKey(*used.source); });
    }
    if (options.json)
        printJson({{"keys", list}});
    return exit;
}

} // namespace keyhold::command
