// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/convert.h"

#include "command/cause.h"
#include "command/exchanged_key.h"
#include "command/key_needs.h"
#include "command/lost_store.h"
#include "command/settings_editor.h"
#include "conf/error.h"
#include "directory/inspection.h"
#include "os/store_lock.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

namespace keyhold::command {

namespace {

/// What an administrator must know after a conversion; `verify` reports the rest.
bool isOfInterest(const Finding &finding) {
    return isUnreadable(finding.kind) || finding.kind == Finding::Kind::shadowed;
}

const char *doneWord(Purpose purpose) {
    return purpose == Purpose::unseal ? "written in plain" : "sealed with the current key";
}

Outcome outcomeOf(Conversion &conversion, const StoreDirectory &directory, const Inspection &after,
                  const HostKeys &keys) {
    Outcome outcome;
    outcome.total = conversion.total;
    outcome.remaining = after.reencryptable.size();
    outcome.converted = conversion.total - std::min(conversion.total, outcome.remaining);
    outcome.goesOn = conversion.goesOn;
    outcome.findings = std::move(conversion.failures);
    std::ranges::copy_if(inWords(after.findings, conversion.target.paths.configDirectory),
                         std::back_inserter(outcome.findings), isOfInterest);
    if (outcome.remaining == 0 && outcome.findings.empty())
        outcome.advice = adviceAfter(conversion.purpose, keys.settings, keys.plan,
                                     conversion.target.paths.settingsFile);
    if (conversion.purpose == Purpose::rekey && !outcome.advice.empty()) {
        const auto idle = idleFilesOfEarlierKeys(directory, after, keys.policy->keyring());
        if (!idle.empty())
            outcome.advice =
                "the keys in secrets_decryption_keys must stay: " + counted(idle.size(), "file") +
                " may need one of them, such as " + inQuotes(idle.front());
    }
    return outcome;
}

void printText(Purpose purpose, const Target &target, const Outcome &outcome) {
    const std::string &directory = target.paths.configDirectory;
    if (outcome.total == 0)
        print("nothing to do in " + inQuotes(directory));
    else
        print(counted(outcome.converted, "value") + " in " + inQuotes(directory) + " " +
              doneWord(purpose));
    if (outcome.remaining > 0)
        print(counted(outcome.remaining, "value") +
              (outcome.goesOn ? " left as before, with which the daemon goes on by itself"
                              : std::string(" left as before; run keyhold ") +
                                    purposeName(purpose) + " again to go on"));
    printCauses(outcome.findings, false);
    if (!outcome.advice.empty())
        tell(outcome.advice);
}

void printOutcome(Purpose purpose, const Target &target, const Outcome &outcome) {
    Json findings = Json::array();
    for (const Finding &finding : outcome.findings)
        findings.push_back(jsonOf(finding));
    printJson({{"operation", purposeName(purpose)},
               {"directory", target.paths.configDirectory},
               {"converted", outcome.converted},
               {"remaining", outcome.remaining},
               {"advice", outcome.advice},
               {"findings", findings}});
}

/// What a run left that was killed beside a daemon.
void removeTemporarySettings(const Target &target, SettingsEditor *editor) {
    std::optional<SettingsEditor> own;
    if (!editor)
        editor = &own.emplace(target.paths.settingsFile);
    editor->write(temporary_settings::without(editor->text()));
}

} // namespace

Outcome convertStore(Purpose purpose, const Target &target,
                     const std::vector<std::string> &keyFiles,
                     const std::function<bool()> &isStopped, SettingsEditor *editor) {
    const auto holder = findLastingHolder(target.paths);
    requireNoLostStore(target, holder);
    const StoreKeys keys = readStoreKeys(target, holder, keyFiles);
    if (purpose != Purpose::unseal && !editor) // keyhold encrypt has looked
        requireNoExchangedKey(target, keys, holder);
    const auto rules = rulesFor(purpose, keys.host, target.paths.settingsFile);
    Conversion conversion{purpose, target, withRules(*keys.host.policy, rules), isStopped, 0,
                          {},      false};
    for (const Finding &finding : keys.findings)
        tell(finding.text);
    if (holder)
        convertBeside(conversion, *holder, readStoreKeys(target, holder).host, editor);
    else
        convertAlone(conversion);
    if (!holder && (keys.host.settings.sealExisting || keys.host.settings.unsealExisting))
        removeTemporarySettings(target, editor);
    requireNoLostStore(target, holder);
    const StoreDirectory directory(posixFileSystem(), target.paths.configDirectory);
    const Inspection after = holder ? inspectBeside(directory, *conversion.policy)
                                    : inspect(directory, *conversion.policy);
    return outcomeOf(conversion, directory, after, readStoreKeys(target, holder).host);
}

Exit convert(Purpose purpose, const ConvertOptions &options) {
    const Target target = chooseTarget(options.target);
    const Outcome outcome =
        convertStore(purpose, target, options.keyFiles, options.isStopped, nullptr);
    if (options.json)
        printOutcome(purpose, target, outcome);
    else
        printText(purpose, target, outcome);
    if (outcome.remaining > 0)
        return Exit::failure;
    return outcome.findings.empty() ? Exit::clean : Exit::findings;
}

} // namespace keyhold::command
