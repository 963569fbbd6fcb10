// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/encrypt.h"

#include "command/check_findings.h"
#include "command/convert.h"
#include "command/daemon.h"
#include "command/encrypt_advice.h"
#include "command/encrypt_plan.h"
#include "command/encrypt_report.h"
#include "command/encrypt_target.h"
#include "command/exchanged_key.h"
#include "command/key_maker.h"
#include "command/lost_key.h"
#include "command/lost_store.h"
#include "command/report.h"
#include "command/settings_editor.h"
#include "command/settings_notes.h"
#include "command/told_state.h"
#include "conf/conf_edit.h"
#include "conf/error.h"
#include "host/settings_file.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>

namespace keyhold::command {

namespace {

constexpr const char *kKeySetting = "secrets_encryption_key";

std::string withKey(const std::string &text, const std::string &place, const std::string &note) {
    return withStatement(text, kKeySetting, confString(place), note);
}

[[noreturn]] void refuse(const std::string &text) {
    throw Error(ErrorCode::configUnsupported, text);
}

bool isThere(const std::string &path) {
    FileStatus status;
    return posixFileSystem().statusOf(path, status) >= 0;
}

std::string absolute(const std::string &path) {
    static_cast<void>(namedKeyFile(path)); // raises if it may be the key itself
    return std::filesystem::absolute(path).lexically_normal().string();
}

std::string idOfKeyIn(const std::string &place) {
    try {
        const FetchedKey key = fetchKey(*namedKeyFile(place));
        if (!key.complaint.empty())
            throw Error(ErrorCode::invalidEncryptionKey, key.complaint);
        return Key(key.raw()).id();
    } catch (const NoKeyError &error) {
        throw Error(ErrorCode::invalidEncryptionKey, error.textWithFirstRemedy());
    }
}

class Encryption {
  public:
    explicit Encryption(const EncryptOptions &options)
        : options_(options),
          target_(chooseWithOwnSettings(options)),
          result_{options.step, target_, {}, {}, false, {}, {}, {}, {}} {}

    Exit run() {
        if (const auto holder = holderNow()) {
            requireReloading(target_, *holder);
            requireNoLostStore(target_, holder);
        }
        editor_.emplace(target_.paths.settingsFile);
        requireUsableSettings(editor_->path());
        switch (options_.step) {
        case EncryptStep::on:
            switchOn();
            break;
        case EncryptStep::off:
            switchOff();
            break;
        case EncryptStep::rotate:
            rotate();
            break;
        }
        return conclude();
    }

  private:
    [[nodiscard]] std::optional<Holder> holderNow() const {
        return findLastingHolder(target_.paths);
    }

    [[nodiscard]] StoreKeys keysNow() const { return readStoreKeys(target_, holderNow()); }

    /// Makes the key that is to be at `place`, unless it is there.
    void provideKey(const std::string &place) {
        result_.keyFile = place;
        if (!isThere(place)) {
            const std::string directory = std::filesystem::path(place).parent_path().string();
            if (const int result = posixFileSystem().makePath(directory); result < 0)
                throw Error(ErrorCode::fileAccess, "cannot make " + inQuotes(directory), -result);
            makeKeyFile(place);
            result_.isKeyMade = isKeyNew_ = true;
        }
        removeOtherNames(place);
        result_.keyId = idOfKeyIn(place);
        say((result_.isKeyMade ? "made key " : "key ") + result_.keyId + " in " + inQuotes(place));
    }

    void writeSettings(const std::string &text) {
        if (editor_->write(text))
            say("wrote " + inQuotes(editor_->path()));
    }

    void reload() {
        const auto holder = holderNow();
        if (!holder)
            return;
        requireReloading(target_, *holder);
        result_.daemon = Daemon(target_, *holder).readSettings(options_.isStopped);
        switch (*result_.daemon) {
        case Daemon::Settings::read:
            return tellWhatItDoes(*holder);
        case Daemon::Settings::ended:
            return say(holder->text() + " has ended; the next one goes by it");
        case Daemon::Settings::unread:
            isUnsure_ = true;
            return tell(holder->text() + " has not read " + inQuotes(editor_->path()) +
                        " again; see its log, reload it, and run this again");
        case Daemon::Settings::unknown:
            return tell("whether " + holder->text() + " has read " + inQuotes(editor_->path()) +
                        " again is not known; its driver does not tell");
        }
    }

    /// It has read the settings, and may still lack the key that they name.
    void tellWhatItDoes(const Holder &holder) {
        const DriverView view = viewDriver(target_, holder);
        if (options_.step != EncryptStep::off && view.told &&
            view.told->report.newValues != DriverReport::NewValues::sealed) {
            isUnsure_ = true;
            return tell(holder.text() + " has read " + inQuotes(editor_->path()) +
                        ", and seals no value: " + view.told->report.whyRefused);
        }
        say(holder.text() + " goes by it");
    }

    void convertTo(Purpose purpose) {
        requireNoLostStore(target_, holderNow());
        if (!exists(target_))
            return;
        result_.outcome = convertStore(purpose, target_, {}, options_.isStopped, &*editor_);
    }

    /// The key of --key, or that of the default place after those that are named.
    [[nodiscard]] std::string placeOfNew(const Settings &settings) const {
        if (!options_.keyFiles.empty()) {
            std::string place = absolute(options_.keyFiles.front());
            requireAwayFromStore(target_, place);
            return place;
        }
        std::vector<std::string> named = settings.secretsDecryptionKeys;
        if (settings.secretsEncryptionKey)
            named.push_back(*settings.secretsEncryptionKey);
        return nextKeyPlace(keyDirectoryOf(target_), named, options_.step == EncryptStep::on);
    }

    void requireNoValueOfALostKey(const StoreKeys &keys) const {
        if (!options_.keyFiles.empty() || !exists(target_))
            return;
        const StoreDirectory directory(posixFileSystem(), target_.paths.configDirectory);
        const Inspection seen = inspect(directory, *keys.host.policy);
        const auto found =
            std::ranges::find(seen.findings, StoreFinding::Kind::missingKey, &StoreFinding::kind);
        if (found != seen.findings.end())
            refuse(inQuotes(directory.pathOf(found->file)) + " is sealed under a key that " +
                   inQuotes(editor_->path()) +
                   " does not name; give the file of that key with --key, or the place of a new "
                   "one if it is lost");
    }

    void switchOn() {
        const StoreKeys keys = keysNow();
        const KeyPlan &plan = keys.host.plan;
        requireNoRefusedPlainValue(target_, keys);
        requireNoExchangedKey(target_, keys, holderNow());
        std::string text = temporary_settings::without(editor_->text());
        if (plan.source == KeyPlan::Source::setting) {
            if (!options_.keyFiles.empty() && absolute(options_.keyFiles.front()) != plan.keyPath)
                refuse(inQuotes(editor_->path()) + " names the key file " + inQuotes(plan.keyPath) +
                       " already; keyhold encrypt rotate goes over to another one");
            requireNoLostKey(target_, keys, plan.keyPath);
            provideKey(plan.keyPath);
            noteNewKey(text);
        } else if (plan.source != KeyPlan::Source::credential || !options_.keyFiles.empty()) {
            requireNoValueOfALostKey(keys);
            const std::string place = placeOfNew(keys.host.settings);
            provideKey(place);
            text = withKey(text, place, {});
            noteNewKey(text);
            // Where a key is named, that of libvirt's own place is not looked for any more.
            if (plan.source == KeyPlan::Source::builtIn && keys.host.policy->keyring().primary())
                text =
                    withStatement(text, "secrets_decryption_keys",
                                  listWith(plan.keyPath, keys.host.settings.secretsDecryptionKeys));
        }
        if (keys.host.settings.encryptData == false)
            text = withStatement(text, "encrypt_data", "1");
        if (keys.host.settings.unsealExisting)
            text = withoutStatement(text, "unseal_existing");
        writeSettings(text);
        convertTo(Purpose::seal);
        if (isKeyNew_)
            noteDone();
        reload();
        sealLateValues();
        if (const auto place = settings_notes::rotationIn(noteOf(text, kKeySetting)))
            advise("a rotation to " + inQuotes(*place) +
                   " was interrupted; keyhold encrypt rotate goes on with it");
        adviseACopy();
    }

    /// A run that was killed may have made it, and advised nothing.
    void noteNewKey(std::string &text) {
        const std::string note(noteOf(text, kKeySetting));
        if (!note.empty() && !settings_notes::isOfNewKey(note))
            return;
        isKeyNew_ = true;
        text = withKey(text, result_.keyFile, settings_notes::ofNewKey(result_.keyId));
    }

    void noteDone() {
        if (result_.outcome.remaining == 0 && !options_.isStopped())
            editor_->write(
                withKey(editor_->text(), result_.keyFile, settings_notes::ofKey(result_.keyId)));
    }

    void adviseACopy() {
        if (isKeyNew_)
            advise("keep a copy of " + inQuotes(result_.keyFile) +
                   " on another machine: without it, what it seals is lost");
    }

    void switchOff() {
        const StoreKeys keys = keysNow();
        requireNoRefusedPlainValue(target_, keys);
        requireEveryKey(target_, keys);
        std::string text = temporary_settings::without(editor_->text());
        const bool isDue = exists(target_);
        if (isDue || keys.host.settings.encryptData != false)
            text = withStatement(text, "encrypt_data", "0",
                                 isDue ? settings_notes::kSwitchingOff : "");
        writeSettings(text);
        convertTo(Purpose::unseal);
        if (result_.outcome.remaining == 0 && !options_.isStopped())
            editor_->write(withStatement(editor_->text(), "encrypt_data", "0"));
        reload();
        result_.outcome.advice.clear();
    }

    /// A client may have set a value while the daemon had not read the settings.
    void sealLateValues() {
        const auto &findings = result_.outcome.findings;
        const bool hasFailed =
            std::ranges::find(findings, Finding::Kind::unchanged, &Finding::kind) != findings.end();
        if (!result_.daemon || hasFailed || options_.isStopped() || !exists(target_))
            return;
        const StoreDirectory directory(posixFileSystem(), target_.paths.configDirectory);
        if (inspect(directory, *keysNow().host.policy).plain.empty())
            return;
        const Outcome former = result_.outcome;
        convertTo(Purpose::seal);
        result_.outcome.total += former.total;
        result_.outcome.converted += former.converted;
    }

    /// The place of the new key. One that has to be made is noted before, so that the next run
    /// knows it whatever becomes of this one.
    std::string beginRotation(std::string &text, const KeyPlan &plan, const Settings &settings) {
        if (const auto begun = settings_notes::rotationIn(noteOf(text, kKeySetting))) {
            requireNoOtherPlace(*begun);
            isKeyNew_ = true;
            advise("went on with the rotation to " + inQuotes(*begun) + ", which was interrupted");
            return *begun;
        }
        std::string place = placeOfNew(settings);
        const std::string note = settings_notes::ofRotationTo(place);
        const std::string noted = withKey(text, plan.keyPath, note);
        // A place that looks like another comment is found by --key alone.
        if (!isThere(place) && noteOf(noted, kKeySetting) == note) {
            editor_->write(noted);
            text = noted;
        }
        return place;
    }

    void requireNoOtherPlace(const std::string &begun) const {
        if (!options_.keyFiles.empty() && absolute(options_.keyFiles.front()) != begun)
            refuse("the rotation to " + inQuotes(begun) +
                   " is not done yet; run keyhold encrypt rotate without --key first");
    }

    void rotate() {
        const StoreKeys keys = keysNow();
        const Settings &settings = keys.host.settings;
        const KeyPlan &plan = keys.host.plan;
        if (plan.source == KeyPlan::Source::credential)
            refuse("the key is a systemd credential; change it where the service is described, and "
                   "restart the service");
        if (!plan.encrypt || plan.source != KeyPlan::Source::setting)
            refuse(inQuotes(editor_->path()) +
                   " does not ask for encryption under a key of its own; keyhold encrypt on "
                   "switches it on");
        requireNoExchangedKey(target_, keys, holderNow());
        std::string text = temporary_settings::without(editor_->text());
        if (noteOf(text, kKeySetting) == settings_notes::kRotating) {
            requireNoOtherPlace(plan.keyPath);
            isKeyNew_ = true;
            requireNoLostKey(target_, keys, plan.keyPath);
            provideKey(plan.keyPath);
        } else {
            const Key *const former = keys.host.policy->keyring().current();
            if (!former)
                throw Error(ErrorCode::invalidEncryptionKey, keys.host.policy->rules().complaint);
            const std::string place = beginRotation(text, plan, settings);
            // A rotation to it that had come to its end is looked at once more.
            if (place == plan.keyPath && settings.secretsDecryptionKeys.empty())
                refuse(inQuotes(place) + " is the current key; name another place with --key");
            provideKey(place);
            if (place != plan.keyPath) {
                if (result_.keyId == former->id())
                    refuse(inQuotes(place) +
                           " holds the current key; name another place with --key");
                text = withStatement(text, "secrets_decryption_keys",
                                     listWith(plan.keyPath, settings.secretsDecryptionKeys));
                text = withKey(text, place, settings_notes::kRotating);
            }
        }
        writeSettings(text);
        adviseACopy();
        convertTo(Purpose::rekey);
        result_.outcome.advice.clear();
        noteDone();
        reload();
    }

    Exit conclude() {
        const StoreKeys keys = keysNow();
        Inspection inspection;
        if (exists(target_)) {
            const StoreDirectory directory(posixFileSystem(), target_.paths.configDirectory);
            inspection = holderNow() ? inspectBeside(directory, *keys.host.policy)
                                     : inspect(directory, *keys.host.policy);
            if (options_.step == EncryptStep::off)
                advise(adviceAfterOff(target_, inspection));
            else
                std::ranges::move(adviceOnEarlierKeys(target_, keys.host, directory, inspection),
                                  std::back_inserter(result_.advice));
            if (options_.step == EncryptStep::on)
                result_.plainCopies = plainCopiesIn(directory, inspection, keys.host.plan);
        }
        if (result_.outcome.remaining > 0)
            advise("run keyhold encrypt " + std::string(stepName(options_.step)) +
                   " again to go on");
        printEncryption(result_, inspection, options_.json);
        if (result_.outcome.remaining > 0 || isUnsure_ || options_.isStopped())
            return Exit::failure;
        return result_.outcome.findings.empty() ? Exit::clean : Exit::findings;
    }

    void say(const std::string &text) const {
        if (!options_.json)
            print(text);
    }
    void advise(const std::string &text) { result_.advice.push_back(text); }

    const EncryptOptions &options_;
    Target target_;
    std::optional<SettingsEditor> editor_;
    bool isKeyNew_ = false; ///< to the settings: nobody may have a copy yet
    bool isUnsure_ = false; ///< a daemon may not go by the settings
    EncryptResult result_;
};

} // namespace

Exit encrypt(const EncryptOptions &options) {
    return Encryption(options).run();
}

} // namespace keyhold::command
