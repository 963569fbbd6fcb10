// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "directory/fingerprint.h"
#include "directory/layout.h"
#include "directory/listing.h"
#include "os/store_directory.h"
#include "store/backend.h"

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace keyhold {

/// Secrets as the stock driver keeps them: one directory, `<uuid>.xml`, and the value beside it in
/// one of the forms of ValueFormat. The definition file is the commit point of a secret;
/// docs/architecture.md, "On disk", has the order of steps of each change and what a load makes of
/// an interrupted one.
class DirectoryBackend : public Backend {
  public:
    /// The log must outlive the backend. The caller holds the store's lock. `policy` may get
    /// other rules at any time; each call goes by those that it finds.
    DirectoryBackend(std::unique_ptr<StoreDirectory> directory, AdminLog &log,
                     std::shared_ptr<const CurrentPolicy> policy);

    [[nodiscard]] std::string place() const override { return directory_->path(); }
    std::vector<ListedSecret> recover() override;
    [[nodiscard]] std::vector<ListedSecret> list() override;
    using Backend::read;
    [[nodiscard]] std::optional<StoredSecret> read(const ListedSecret &secret) override;
    [[nodiscard]] Revision fingerprint(const ListedSecret &secret) override;
    Value create(const SecretDefinition &definition,
                 const std::span<const std::uint8_t> *value) override;
    [[nodiscard]] bool replaceDefinition(const SecretDefinition &definition) override;
    void replaceValue(const SecretDefinition &definition,
                      std::span<const std::uint8_t> value) override;
    void removeValue(const Uuid &uuid) override;
    [[nodiscard]] std::vector<Uuid> reencryptable() const override;
    bool reencryptValue(const Uuid &uuid) override;
    void remove(const Uuid &uuid) override;

  private:
    /// A value file that is on its way out.
    struct FormerValue {
        ValueFormat form;
        std::string name; ///< what it is called until its removal is durable, or for good
        const char *keptBecause = nullptr; ///< why it stays for good, for the log; else null
    };
    using Naming = std::function<FormerValue(ValueFormat)>;

    /// The value files of a secret as they were at one moment, by form; empty where there was none.
    using ValueFiles = std::array<std::optional<FileStatus>, kValueFormats.size()>;

    /// What else a reading of a value tells.
    struct ValueNotes {
        FingerprintMaker files;
        bool needsReencryption = false;
        ValueFormats looked = 0; ///< forms that were asked for
        ValueFiles seen{};       ///< of these
    };

    [[nodiscard]] ValueNotes notesOf(const SealingPolicy &policy) const;
    [[nodiscard]] Value readValue(const SealingPolicy &policy, const ListedSecret &secret,
                                  ValueNotes &notes);
    [[nodiscard]] Value readForm(const SealingPolicy &policy, const Uuid &uuid, ValueFormat form,
                                 ValueNotes &notes);
    /// Tells of the names that look like definitions and are none.
    void tellMisnamed(const Listing &listing);
    void noteReencryption(const Uuid &uuid, bool needsReencryption);
    /// Raises invalidEncryptionKey if a configured key is missing, or there is a value that libvirt
    /// encrypted and that cannot be opened: where one does not fit, a wrong key may be in place,
    /// and another that seems to fit may be garbage, which would be written as the value.
    void requireEveryAes256CbcOpens(const std::shared_ptr<const SealingPolicy> &policy);
    [[nodiscard]] bool hasValueFile(const Uuid &uuid) const;
    static void requireStorable(const SecretDefinition &definition);
    /// Makes `value` the only value of a secret that has a definition. `read`, if it is what
    /// `value` was read from: then a file that somebody has put there since is not replaced and not
    /// removed; raises internal if it is in the way.
    void storeValue(const SealingPolicy &policy, const Uuid &uuid,
                    std::span<const std::uint8_t> value, const ValueFiles *read = nullptr);
    [[nodiscard]] FormerValue formerOf(const SealingPolicy &policy, const Uuid &uuid,
                                       ValueFormat form, bool isWrittenAnew);
    /// Takes the value files of all forms but `spared` away, durably, the one that counts last: a
    /// crash on the way never lets an older one count. Spares what is not as it was `read`, unless
    /// that is null; raises internal if it would not count beside `spared`. Raises with all of them
    /// back, or RollbackFailedError.
    [[nodiscard]] std::vector<FormerValue> removeForms(const Uuid &uuid,
                                                       std::optional<ValueFormat> spared,
                                                       const Naming &naming,
                                                       const ValueFiles *read = nullptr);
    /// The file under a name, or empty. Raises systemCall.
    [[nodiscard]] std::optional<FileStatus> fileAt(const std::string &name) const;
    /// Raises internal, with `staged` removed, if a value file is not as it was read.
    void requireAsRead(const Uuid &uuid, const ValueFiles &read, const std::string &staged);
    /// True if the value file of this form is as it was when it was read.
    [[nodiscard]] bool isAsRead(const Uuid &uuid, ValueFormat form, const ValueFiles &read) const;
    /// Gives a former file its name back if it is another than the one that was read. True if so;
    /// raises RollbackFailedError if it cannot.
    [[nodiscard]] bool returnUnread(const Uuid &uuid, const FormerValue &former,
                                    const ValueFiles &read);
    [[nodiscard]] std::string changedText(const Uuid &uuid, ValueFormat form) const;
    /// Takes back a value whose predecessor could not go.
    void rollBackValue(const Uuid &uuid, const FormerValue &former, bool hasFormer,
                       const Error &cause);
    /// Gives them their names back. Raises RollbackFailedError with the text of `cause` if it
    /// cannot.
    void restoreForms(const Uuid &uuid, const std::vector<FormerValue> &removed,
                      const Error &cause);
    /// The value of a secret that is on disk in full but was never loaded, if `next` may redefine
    /// it; none for any other.
    [[nodiscard]] Value readUnloadedValue(const SecretDefinition &next);
    void writeDefinition(const Uuid &uuid, const std::string &text);
    void writeValueFile(const std::string &name, const SealingPolicy &policy, ValueFormat form,
                        const Uuid &uuid, std::span<const std::uint8_t> value);
    /// The first name under which nothing has been put aside yet.
    [[nodiscard]] std::string freeQuarantineName(const Uuid &uuid, ValueFormat form) const;
    void reportQuarantined(const Uuid &uuid, ValueFormat form, const std::string &aside,
                           const char *reason);
    /// Puts every value file of a uuid aside whose secret is not there or gets another value. True
    /// if there was one.
    bool quarantineOrphans(const Uuid &uuid);
    /// Takes back a definition that was committed but whose value could not follow.
    void rollBack(const Uuid &uuid, ValueFormat form, const std::string &awaiting,
                  const Error &cause);
    void removeFiles(const Uuid &uuid);
    /// Removes a private name; one that resists is remembered and blocks its secret. Answers why.
    std::optional<Error> discard(const Uuid &uuid, const std::string &privateName);
    /// What is done with a former value once its removal is durable.
    void retire(const Uuid &uuid, const FormerValue &former);
    void rememberStaleFile(const Uuid &uuid, const std::string &privateName, const Error &cause);
    /// Raises while a private name of this secret cannot be reconciled: a later load could take it
    /// for part of the change that is about to be made.
    void requireNoStaleFiles(const Uuid &uuid);
    /// Gives a value of this secret that is under a private name its own, and answers the trouble
    /// if it must stay there.
    [[nodiscard]] std::optional<Error> finishPendingValue(const Uuid &uuid);
    /// What every change asks first: would the next start find what is about to be written? Raises
    /// as requireNoStaleFiles(), and internal if the path leads to another directory by now.
    void requireReady(const Uuid &uuid);
    [[nodiscard]] std::string movedText() const;
    [[nodiscard]] std::string orphanText(const Uuid &uuid, ValueFormat form) const;
    /// Ends the removal of a secret: its values go, then the definition that was leaving. Spares
    /// those of a definition that has taken its place.
    void endRemoval(const Uuid &uuid);
    /// True if a load would make this private file the value of its secret.
    [[nodiscard]] bool isValueOfSecret(const layout::FileName &file) const;
    /// Makes of one private name what a load must make of it: part of the secret, or nothing.
    void recoverFile(const layout::FileName &file, const std::string &name);

    std::unique_ptr<StoreDirectory> directory_;
    AdminLog &log_;
    const std::shared_ptr<const CurrentPolicy> policy_;
    mutable std::mutex reencryptableMutex_;
    std::set<Uuid> reencryptable_;
    std::atomic<bool> hasReencryptable_{false};
    std::weak_ptr<const SealingPolicy>
        judgedBy_; ///< what misfit_ was found with; of the renewing thread
    std::string misfit_;
    std::mutex staleFilesMutex_;
    std::multimap<Uuid, std::string> staleFiles_;
    std::atomic<bool> hasStaleFiles_{false};
    bool hasToldUnsyncable_ = false; ///< of recover()
};

/// The text of a definition file. Raises configUnsupported if it is so large that a load would
/// refuse it; the limit is libxml2's for one text (10,000,000 bytes).
[[nodiscard]] std::string definitionFileText(const SecretDefinition &definition);

} // namespace keyhold
