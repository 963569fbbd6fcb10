// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/convert.h"
#include "command/daemon.h"
#include "command/drift.h"
#include "command/settings_editor.h"
#include "conf/conf_edit.h"
#include "conf/error.h"
#include "directory/inspection.h"
#include "directory/layout.h"
#include "directory/secret_inspection.h"
#include "os/store_directory.h"

#include <algorithm>
#include <chrono>

namespace keyhold::command {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLook = std::chrono::milliseconds(200);
// A daemon that is at another reload, or still starting, drops the signal.
constexpr auto kSignalAgain = std::chrono::seconds(10);
constexpr auto kPatience = std::chrono::seconds(60);

class Follower {
  public:
    Follower(Conversion &conversion, const Daemon &daemon, const StoreDirectory &directory,
             std::vector<Uuid> reencryptable, std::vector<Uuid> unloaded,
             const SealingPolicy &keysOfDaemon)
        : conversion_(conversion),
          daemon_(daemon),
          directory_(directory),
          reencryptable_(std::move(reencryptable)),
          unloaded_(std::move(unloaded)),
          daemons_(withRules(keysOfDaemon, conversion.policy->rules())) {}

    void follow() {
        // The daemon re-encrypts nothing whose definition it cannot load; waiting brings nothing.
        const auto unloadable =
            std::partition(reencryptable_.begin(), reencryptable_.end(),
                           [&](const Uuid &uuid) { return check(uuid).definition.has_value(); });
        const std::vector<Uuid> left(unloadable, reencryptable_.end());
        reencryptable_.erase(unloadable, reencryptable_.end());
        leaveWhatIsNotLoaded();
        leaveWhatCannotCome();
        wait();
        for (const Uuid &uuid : left) {
            if (!isDone(check(uuid)))
                fail(uuid,
                     "cannot be read, so that the daemon does not re-encrypt its value; put it "
                     "right and run this again");
        }
    }

  private:
    void leaveWhatIsNotLoaded() {
        std::erase_if(reencryptable_, [&](const Uuid &uuid) {
            const bool isUnloaded = std::ranges::find(unloaded_, uuid) != unloaded_.end();
            if (isUnloaded)
                fail(uuid, "is not loaded, because another has the same use, so that the daemon "
                           "does not re-encrypt its value; give it another use or remove it, and "
                           "run this again");
            return isUnloaded;
        });
    }

    /// What the daemon has no key for, and what libvirt encrypted where a file of that kind keeps
    /// all of them back.
    void leaveWhatCannotCome() {
        const Inspection seen = inspect(directory_, *daemons_);
        const bool isRefused =
            !daemons_->keyring().missing().empty() ||
            std::ranges::any_of(seen.findings, [](const StoreFinding &finding) {
                using Kind = StoreFinding::Kind;
                return finding.file.ends_with(".aes256cbc") &&
                       (finding.kind == Kind::damagedValue || finding.kind == Kind::missingKey ||
                        finding.kind == Kind::unreadableFile);
            });
        std::erase_if(reencryptable_, [&](const Uuid &uuid) {
            const SecretInspection secret = inspectSecret(directory_, *daemons_, uuid);
            if (secret.isUnreadable) {
                fail(uuid, "is of a value whose key the daemon has not; name that key in "
                           "secrets_decryption_keys and run this again");
                return true;
            }
            if (isRefused && secret.format == ValueFormat::aes256cbc) {
                fail(uuid, "is of a value that libvirt encrypted; these are re-encrypted once "
                           "every configured key can be read and all of them open");
                return true;
            }
            return false;
        });
    }

    void wait() {
        Progress progress(purposeName(conversion_.purpose), conversion_.total);
        auto movedAt = Clock::now();
        auto signalledAt = movedAt;
        while (!reencryptable_.empty()) {
            if (conversion_.isStopped()) {
                // For the others it is taken back what has it do so.
                conversion_.goesOn = conversion_.purpose == Purpose::rekey;
                return;
            }
            if (daemon_.hasEnded(kLook))
                return tell("the daemon has ended");
            const std::size_t before = reencryptable_.size();
            std::erase_if(reencryptable_, [&](const Uuid &uuid) { return isDone(check(uuid)); });
            progress.show(conversion_.total - reencryptable_.size());
            const auto now = Clock::now();
            if (reencryptable_.size() < before)
                movedAt = signalledAt = now;
            if (now - movedAt > kPatience)
                return failAll();
            if (now - signalledAt > kSignalAgain) {
                signalledAt = now;
                daemon_.reload();
            }
        }
    }

    [[nodiscard]] SecretInspection check(const Uuid &uuid) const {
        return inspectSecret(directory_, *conversion_.policy, uuid);
    }

    /// A value that is re-encrypted is done when its former file is gone too.
    static bool isDone(const SecretInspection &secret) {
        return !secret.needsReencryption &&
               std::ranges::none_of(secret.findings, [](const StoreFinding &finding) {
                   return finding.kind == StoreFinding::Kind::shadowedValue;
               });
    }

    void failAll() {
        for (const Uuid &uuid : reencryptable_)
            fail(uuid, "is of a value that the daemon did not re-encrypt; its log says why");
    }

    void fail(const Uuid &uuid, const char *text) {
        conversion_.failures.push_back(
            {Finding::Kind::unchanged, directory_.pathOf(layout::definitionName(uuid)), text});
    }

    Conversion &conversion_;
    const Daemon &daemon_;
    const StoreDirectory &directory_;
    std::vector<Uuid> reencryptable_;
    const std::vector<Uuid> unloaded_; ///< their use is that of another
    const std::shared_ptr<const SealingPolicy> daemons_;
};

/// Writes what makes a daemon do it, and takes it back: in any case the file, and by putBack() what
/// the daemon has read of it.
class SettingsForIt {
  public:
    SettingsForIt(const Conversion &conversion, const HostKeys &keys, bool isNeeded,
                  SettingsEditor *editor)
        : editor_(editor) {
        const std::string lacking = lackingFor(conversion.purpose, keys.settings, keys.plan);
        if (!editor_ && (keys.settings.sealExisting || keys.settings.unsealExisting ||
                         (isNeeded && !lacking.empty()))) {
            own_.emplace(conversion.target.paths.settingsFile);
            editor_ = &*own_;
        }
        if (!editor_)
            return;
        std::string text = editor_->text();
        if (isNeeded && !lacking.empty()) {
            if (conversion.purpose == Purpose::unseal && keys.plan.encrypt) {
                text = withStatement(text, "encrypt_data", "0");
                tell("encrypt_data = 0 is in " + inQuotes(editor_->path()) +
                     " now, so that new values are stored in plain too; keyhold encrypt on seals "
                     "again");
            }
            if (conversion.purpose == Purpose::seal && !keys.settings.sealExisting)
                text = temporary_settings::with(text, "seal_existing");
            if (conversion.purpose == Purpose::unseal && !keys.settings.unsealExisting)
                text = temporary_settings::with(text, "unseal_existing");
        }
        editor_->write(text);
    }
    ~SettingsForIt() {
        try {
            static_cast<void>(takeOut());
        } catch (const std::exception &exception) {
            tell(exception.what());
        }
    }
    SettingsForIt(const SettingsForIt &) = delete;
    SettingsForIt &operator=(const SettingsForIt &) = delete;

    void putBack(const Daemon &daemon) {
        if (!takeOut())
            return;
        // Also after an interruption: else it would go on by them.
        switch (daemon.readSettings([] { return false; })) {
        case Daemon::Settings::read:
        case Daemon::Settings::ended:
            return;
        case Daemon::Settings::unread:
        case Daemon::Settings::unknown:
            tell("whether the daemon has read " + inQuotes(editor_->path()) +
                 " again is not known; reload it");
        }
    }

  private:
    bool takeOut() {
        return editor_ && editor_->write(temporary_settings::without(editor_->text()));
    }

    std::optional<SettingsEditor> own_;
    SettingsEditor *editor_;
};

std::vector<Uuid> withoutTheirUse(const Inspection &inspection) {
    std::vector<Uuid> uuids;
    for (const StoreFinding &finding : inspection.findings) {
        if (finding.kind == StoreFinding::Kind::sameUse)
            uuids.push_back(layout::parseFileName(finding.file)->uuid);
    }
    return uuids;
}

} // namespace

void convertBeside(Conversion &conversion, const Holder &holder, const HostKeys &keys,
                   SettingsEditor *editor) {
    requireReloading(conversion.target, holder);
    const Daemon daemon(conversion.target, holder);
    const StoreDirectory directory(posixFileSystem(), conversion.target.paths.configDirectory);
    Inspection seen = inspect(directory, *conversion.policy);
    reconcileSameUses(conversion.target, holder, seen);
    conversion.total = seen.reencryptable.size();
    SettingsForIt settings(conversion, keys, !seen.reencryptable.empty(), editor);
    // Also where nothing is left to do: new values must get the current format and key.
    daemon.reload();
    Follower(conversion, daemon, directory, std::move(seen.reencryptable), withoutTheirUse(seen),
             *keys.policy)
        .follow();
    settings.putBack(daemon);
}

} // namespace keyhold::command
