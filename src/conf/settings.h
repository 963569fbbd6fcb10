// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/conf_scan.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace keyhold {

/// What the keys of a process may rest in (`key_memory`).
enum class KeyMemoryChoice {
    automatic, ///< "auto": secretmem in the system instance, else locked
    secretmem, ///< "secretmem": memfd_secret(2); hibernation is impossible with it
    locked,    ///< "locked": locked pages between guard pages, left out of core dumps
};

/// What is read of files that hold a value in plain (`plain_values`), where values are encrypted.
enum class PlainValues {
    accept, ///< "accept": what other tools write into the directory counts
    refuse, ///< "refuse": such a value is unreadable
};

/// What becomes of calls whose audit record cannot be written (`audit_on_failure`).
enum class AuditOnFailure {
    refuseClients, ///< "refuse-clients": libvirt's own calls, as of a guest that starts, go on
    refuse,        ///< "refuse": none goes on
    proceed,       ///< "continue": all go on
};

/// A setting that is there and cannot be understood.
struct SettingProblem {
    /// What is unknown by it. Settings that decide the same share one.
    enum class Of {
        encryptData,
        secretsEncryptionKey, ///< which key: of each setting that names it
        secretsDecryptionKeys,
        sealExisting,
        unsealExisting,
        keyMemory,
        plainValues,
        audit, ///< whether there is a trail
        auditFile,
        auditSync,
        auditOnFailure,
    };
    Of setting;
    std::string text; ///< names the setting and says what is wrong with it; never its value

    bool operator==(const SettingProblem &) const = default;
};

/// The content of `secret.conf`. The first two are libvirt's (since 12.1.0) and mean the same here;
/// the others are this driver's.
struct Settings {
    std::optional<bool> encryptData;                        ///< encrypt_data
    std::optional<std::string> secretsEncryptionKey;        ///< secrets_encryption_key: a path
    std::vector<std::string> secretsDecryptionKeys;         ///< secrets_decryption_keys: paths
    bool sealExisting = false;                              ///< seal_existing
    bool unsealExisting = false;                            ///< unseal_existing
    KeyMemoryChoice keyMemory = KeyMemoryChoice::automatic; ///< key_memory
    std::optional<PlainValues> plainValues;                 ///< plain_values; without it, accept
    bool audit = false;                                     ///< audit; with a problem, on
    std::optional<std::string> auditFile;                   ///< audit_file: a path
    bool auditSync = true;                                  ///< audit_sync
    AuditOnFailure auditOnFailure = AuditOnFailure::refuseClients; ///< audit_on_failure
    /// A setting that has one is above as if it were not there; of a list, the entry.
    std::vector<SettingProblem> problems;

    [[nodiscard]] bool hasProblem(SettingProblem::Of setting) const;
    bool operator==(const Settings &) const = default;
};

/// A value of another type or out of range (a path that is not absolute, an unknown word) is a
/// problem of that setting alone, of a list, of that entry. No text quotes a value: somebody may
/// have pasted a key. Settings with other names are ignored, as the stock driver does.
[[nodiscard]] Settings readSettings(const std::vector<ConfStatement> &statements);

/// What does not count in a file of settings, with line and remedy: names that are no setting of
/// this driver nor of libvirt 12.8, with the one that was probably meant, and all but the first of
/// several with one name.
[[nodiscard]] std::vector<std::string>
ignoredStatements(const std::vector<ConfStatement> &statements);

/// Where the key comes from and whether new values are sealed with it.
struct KeyPlan {
    enum class Source {
        none,       ///< no key is configured
        setting,    ///< secrets_encryption_key
        credential, ///< the systemd credential; the same as long as the service runs
        builtIn,    ///< encrypt_data = 1 and neither of the above
    };
    bool encrypt = false; ///< new values must be sealed, or refused
    /// A setting that decides how values are written has a problem: the keys only open.
    bool isDoubtful = false;
    Source source = Source::none;
    std::string keyPath; ///< empty if source is none
    std::vector<std::string> earlierKeyPaths;

    bool operator==(const KeyPlan &) const = default;
};

/// Decides as libvirt 12.1 and later: the setting before the credential before the built-in path;
/// encryption is on if a key is named, unless encrypt_data says otherwise. Unlike there,
/// `encrypt_data = 0` leaves a named key in use for reading. A setting with a problem may ask
/// for encryption. `credentialPath` is empty where there is no credential; builtInPath answers
/// where libvirt would look then.
[[nodiscard]] KeyPlan planKey(const Settings &settings, const std::string &credentialPath,
                              const std::function<std::string()> &builtInPath);

} // namespace keyhold
