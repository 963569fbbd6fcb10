// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/exchanged_key.h"

#include "command/settings_notes.h"
#include "conf/error.h"
#include "os/store_directory.h"

#include <algorithm>

namespace keyhold::command {

namespace {

constexpr const char *kKeepBoth =
    ", and the other one into a file that secrets_decryption_keys names";

std::size_t sealedWith(const Inspection &inspection, const std::string &keyId) {
    const auto found = inspection.sealed.find(keyId);
    return found == inspection.sealed.end() ? 0 : found->second;
}

std::string valuesNeed(std::size_t count) {
    return std::to_string(count) + (count == 1 ? " value needs " : " values need ");
}

/// Empty if none.
std::string neededAndMissing(const Inspection &inspection, const Keyring &keyring) {
    for (const auto &[keyId, count] : inspection.sealed) {
        if (!keyId.empty() && !keyring.find(keyId))
            return keyId;
    }
    return {};
}

/// Empty if there is no note, or no key to compare with it.
std::string notedKey(const Target &target, const StoreKeys &keys) {
    if (keys.host.plan.source != KeyPlan::Source::setting || !keys.host.policy->keyring().primary())
        return {};
    const std::string note = settings_notes::ofCurrentKey(target.paths.settingsFile);
    return settings_notes::keyIn(note).value_or(std::string());
}

std::string remedyFor(const ExchangedKey &exchanged, const DriverView &driver, const char *other) {
    std::string text = "; put " + exchanged.wanted + " back" + other;
    if (driver.told && std::ranges::find(driver.told->report.keys, exchanged.wanted) !=
                           driver.told->report.keys.end())
        text += "; do not reload the daemon before that, for it still has the key";
    return text;
}

} // namespace

std::optional<ExchangedKey> findExchangedKey(const Target &target, const StoreKeys &keys,
                                             const Inspection &inspection,
                                             const DriverView &driver) {
    const Keyring &keyring = keys.host.policy->keyring();
    const Key *const primary = keyring.primary();
    if (keys.host.plan.source != KeyPlan::Source::setting || !primary)
        return std::nullopt;
    const std::string &settings = target.paths.settingsFile;
    const std::string noted = notedKey(target, keys);
    const std::size_t needThere = sealedWith(inspection, primary->id());
    ExchangedKey exchanged{primary->id(), noted, {}};
    exchanged.text = inQuotes(keys.host.plan.keyPath) + " holds the key " + exchanged.there;
    if (!noted.empty()) {
        const std::size_t needNoted = sealedWith(inspection, noted);
        // A key that somebody exchanged on purpose leaves the note behind.
        if (keyring.find(noted) || (needThere > 0 && needNoted == 0))
            return std::nullopt;
        exchanged.text += ", and " + inQuotes(settings) + " says " + noted +
                          remedyFor(exchanged, driver, needThere > 0 ? kKeepBoth : "");
        if (needNoted == 0)
            exchanged.text += "; if the one that is there is right, take out that comment "
                              "(# keyhold: ...)";
        return exchanged;
    }
    exchanged.wanted = neededAndMissing(inspection, keyring);
    if (needThere > 0 || exchanged.wanted.empty() || !keyring.missing().empty())
        return std::nullopt;
    exchanged.text += ", which no value needs, and " +
                      valuesNeed(sealedWith(inspection, exchanged.wanted)) + exchanged.wanted +
                      ", which is not configured" +
                      remedyFor(exchanged, driver, ", or name its file in secrets_decryption_keys");
    return exchanged;
}

void requireNoExchangedKey(const Target &target, const StoreKeys &keys,
                           const std::optional<Holder> &holder) {
    if (keys.host.policy->keyring().find(notedKey(target, keys)))
        return; // and no look at all values
    Inspection inspection;
    if (exists(target))
        inspection = inspect(StoreDirectory(posixFileSystem(), target.paths.configDirectory),
                             *keys.host.policy);
    const auto exchanged = findExchangedKey(target, keys, inspection, viewDriver(target, holder));
    if (exchanged)
        throw Error(ErrorCode::configUnsupported, exchanged->text);
}

void explainExchangedKey(const ExchangedKey &exchanged, std::vector<Finding> &findings) {
    bool isExplained = false;
    for (Finding &finding : findings) {
        if (finding.kind != Finding::Kind::missingKey || finding.keyId != exchanged.wanted)
            continue;
        finding.text = "is sealed with key " + inQuotes(exchanged.wanted) +
                       ", which is not there: " + exchanged.text;
        isExplained = true;
    }
    if (!isExplained)
        findings.insert(findings.begin(), {Finding::Kind::missingKey, {}, exchanged.text});
}

} // namespace keyhold::command
