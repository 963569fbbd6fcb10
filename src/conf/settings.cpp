// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/settings.h"

#include "conf/error.h"
#include "conf/nearest_word.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

namespace keyhold {
namespace {

using Of = SettingProblem::Of;

constexpr std::string_view kNames[] = {"encrypt_data",
                                       "secrets_encryption_key",
                                       "secrets_decryption_keys",
                                       "seal_existing",
                                       "unseal_existing",
                                       "key_memory",
                                       "plain_values",
                                       "audit",
                                       "audit_file",
                                       "audit_sync",
                                       "audit_on_failure"};

Error isNot(const char *name, const char *wanted) {
    return {ErrorCode::configUnsupported, inQuotes(name) + " is not " + wanted};
}

/// The settings of a file, by name and type; empty if there is none, and raised if it is of another
/// type.
struct Values {
    const std::vector<ConfStatement> &statements;

    [[nodiscard]] std::optional<bool> boolean(const char *name) const {
        const ConfStatement *const found = findStatement(statements, name);
        if (!found)
            return std::nullopt;
        const char *const digits = found->number.c_str() + found->number.starts_with('+');
        unsigned number = 2; // stays if there is none, or one out of range
        std::from_chars(digits, digits + std::strlen(digits), number);
        if (number > 1)
            throw isNot(name, "0 or 1");
        return number == 1;
    }
    [[nodiscard]] std::optional<std::string> string(const char *name) const {
        const ConfStatement *const found = findStatement(statements, name);
        if (found && !found->text)
            throw isNot(name, "a string");
        return found ? found->text : std::nullopt;
    }
    /// A single string is a list of one.
    [[nodiscard]] decltype(ConfStatement::list) list(const char *name) const {
        const ConfStatement *const found = findStatement(statements, name);
        if (found && found->text)
            return {{found->text}};
        if (found && !found->list)
            throw isNot(name, "a list of strings");
        return found ? found->list : std::nullopt;
    }
};

/// `what` says which text that is.
void requireAbsolute(const std::string &what, const std::string &path) {
    if (!path.starts_with('/'))
        throw Error(ErrorCode::configUnsupported,
                    what + " is not an absolute path, and not shown because it could be a key");
}

/// Reads one setting; what `read` raises is a problem of it alone.
template <typename Read>
void take(Settings &settings, Of setting, const Read &read) {
    try {
        read();
    } catch (const Error &error) {
        if (error.code() != ErrorCode::configUnsupported)
            throw;
        settings.problems.push_back({setting, error.message()});
    }
}

KeyMemoryChoice keyMemoryOf(const std::string &word) {
    if (word == "auto")
        return KeyMemoryChoice::automatic;
    if (word == "secretmem")
        return KeyMemoryChoice::secretmem;
    if (word == "locked")
        return KeyMemoryChoice::locked;
    throw Error(ErrorCode::configUnsupported,
                "'key_memory' is not \"auto\", \"secretmem\" or \"locked\"");
}

PlainValues plainValuesOf(const std::string &word) {
    if (word == "accept")
        return PlainValues::accept;
    if (word == "refuse")
        return PlainValues::refuse;
    throw Error(ErrorCode::configUnsupported, "'plain_values' is not \"accept\" or \"refuse\"");
}

AuditOnFailure auditOnFailureOf(const std::string &word) {
    if (word == "refuse-clients")
        return AuditOnFailure::refuseClients;
    if (word == "refuse")
        return AuditOnFailure::refuse;
    if (word == "continue")
        return AuditOnFailure::proceed;
    throw Error(ErrorCode::configUnsupported,
                "'audit_on_failure' is not \"refuse-clients\", \"refuse\" or \"continue\"");
}

/// Who has asked for a trail, and not in words that are understood, gets one.
void readAudit(const Values &values, Settings &settings) {
    settings.audit = true;
    take(settings, Of::audit, [&] { settings.audit = values.boolean("audit").value_or(false); });
    take(settings, Of::auditFile, [&] {
        auto path = values.string("audit_file");
        if (path)
            requireAbsolute("'audit_file'", *path);
        settings.auditFile = std::move(path);
    });
    take(settings, Of::auditSync,
         [&] { settings.auditSync = values.boolean("audit_sync").value_or(true); });
    take(settings, Of::auditOnFailure, [&] {
        if (const auto word = values.string("audit_on_failure"))
            settings.auditOnFailure = auditOnFailureOf(*word);
    });
}

} // namespace

bool Settings::hasProblem(SettingProblem::Of setting) const {
    return std::ranges::any_of(
        problems, [&](const SettingProblem &problem) { return problem.setting == setting; });
}

Settings readSettings(const std::vector<ConfStatement> &statements) {
    const Values values{statements};
    Settings settings;
    take(settings, Of::encryptData, [&] { settings.encryptData = values.boolean("encrypt_data"); });
    take(settings, Of::secretsEncryptionKey, [&] {
        auto path = values.string("secrets_encryption_key");
        if (path)
            requireAbsolute("'secrets_encryption_key'", *path);
        settings.secretsEncryptionKey = std::move(path);
    });
    std::vector<std::optional<std::string>> earlier;
    take(settings, Of::secretsDecryptionKeys, [&] {
        if (auto paths = values.list("secrets_decryption_keys"))
            earlier = *std::move(paths);
    });
    for (std::size_t i = 0; i < earlier.size(); ++i) {
        take(settings, Of::secretsDecryptionKeys, [&] {
            const std::string what =
                "entry " + std::to_string(i + 1) + " of 'secrets_decryption_keys'";
            if (!earlier[i])
                throw Error(ErrorCode::configUnsupported, what + " is not a string");
            requireAbsolute(what, *earlier[i]);
            settings.secretsDecryptionKeys.push_back(*std::move(earlier[i]));
        });
    }
    take(settings, Of::sealExisting,
         [&] { settings.sealExisting = values.boolean("seal_existing").value_or(false); });
    take(settings, Of::unsealExisting,
         [&] { settings.unsealExisting = values.boolean("unseal_existing").value_or(false); });
    take(settings, Of::keyMemory, [&] {
        if (const auto word = values.string("key_memory"))
            settings.keyMemory = keyMemoryOf(*word);
    });
    take(settings, Of::plainValues, [&] {
        if (const auto word = values.string("plain_values"))
            settings.plainValues = plainValuesOf(*word);
    });
    readAudit(values, settings);
    return settings;
}

std::vector<std::string> ignoredStatements(const std::vector<ConfStatement> &statements) {
    // A name may be a key, too, that was pasted without quotes.
    constexpr std::size_t kLongestShown = 31;
    std::vector<std::string> texts;
    for (const ConfStatement &statement : statements) {
        const std::string line = "line " + std::to_string(statement.line) + ": ";
        const std::string name =
            statement.name.size() > kLongestShown
                ? "a name of " + std::to_string(statement.name.size()) + " characters"
                : inQuotes(statement.name);
        const ConfStatement &first = *findStatement(statements, statement.name);
        if (std::ranges::find(kNames, statement.name) == std::end(kNames)) {
            const std::string guess =
                didYouMean(statement.name, {std::begin(kNames), std::end(kNames)});
            texts.push_back(line + name + " is no setting, and does not count" +
                            (guess.empty() ? "; correct its name, or remove it" : guess));
        } else if (&first != &statement)
            texts.push_back(line + name + " does not count, because line " +
                            std::to_string(first.line) + " has set it; remove one of them");
    }
    return texts;
}

KeyPlan planKey(const Settings &settings, const std::string &credentialPath,
                const std::function<std::string()> &builtInPath) {
    KeyPlan plan;
    plan.earlierKeyPaths = settings.secretsDecryptionKeys;
    if (settings.secretsEncryptionKey) {
        plan.source = KeyPlan::Source::setting;
        plan.keyPath = *settings.secretsEncryptionKey;
    } else if (!credentialPath.empty()) {
        plan.source = KeyPlan::Source::credential;
        plan.keyPath = credentialPath;
    }
    const bool isUnknownWhether = settings.hasProblem(Of::encryptData);
    const bool isUnknownWhich = settings.hasProblem(Of::secretsEncryptionKey);
    const bool isNamed = plan.source != KeyPlan::Source::none || isUnknownWhich;
    plan.encrypt = isUnknownWhether || settings.encryptData.value_or(isNamed);
    plan.isDoubtful = isUnknownWhether || (plan.encrypt && isUnknownWhich);
    if (plan.encrypt && !isNamed) {
        plan.source = KeyPlan::Source::builtIn;
        plan.keyPath = builtInPath();
    }
    return plan;
}

} // namespace keyhold
