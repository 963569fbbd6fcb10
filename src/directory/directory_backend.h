// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "conf/mutex.h"
#include "directory/fingerprint.h"
#include "directory/layout.h"
#include "directory/listing.h"
#include "os/store_directory.h"
#include "store/backend.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyhold {

/// Secrets as the stock driver keeps them: one directory, `<uuid>.xml`, and the value beside it in
/// one of the forms of ValueFormat. The definition file is the commit point of a secret;
/// docs/architecture.md, "On disk", has the order of steps of each change and what a load makes of
/// an interrupted one.
class DirectoryBackend : public Backend {
  public:
    using Clock = std::function<std::int64_t()>;

    /// The log must outlive the backend. The caller holds the store's lock. `clock` as fileClock().
    DirectoryBackend(std::unique_ptr<StoreDirectory> directory, AdminLog &log,
                     Clock clock = fileClock);

    [[nodiscard]] std::string place() const override { return directory_->path(); }
    [[nodiscard]] std::string placeOf(const Uuid &uuid) const override {
        return directory_->pathOf(layout::definitionName(uuid));
    }
    [[nodiscard]] std::string placeOf(const Uuid &uuid, ValueFormat format) const override {
        return directory_->pathOf(layout::valueName(uuid, format));
    }
    [[nodiscard]] RevisionKind revisionKind() const noexcept override {
        return RevisionKind::advisory;
    }
    std::vector<ListedSecret> start() override;
    [[nodiscard]] std::vector<ListedSecret> list(Strays strays) override;
    [[nodiscard]] std::optional<StoredSecret> get(const ListedSecret &secret,
                                                  const ValueReader &reader) override;
    [[nodiscard]] std::optional<StoredValue> getValue(const ListedSecret &secret,
                                                      const ValueReader &reader) override;
    [[nodiscard]] Revision revisionOf(const ListedSecret &secret) override;
    /// A value that is put where `seen` is known takes the place of that state alone: a file that
    /// somebody has put there since is not replaced and not removed; raises internal if it is in
    /// the way.
    Revision put(const Uuid &uuid, const SecretChange &change, std::optional<Revision> seen,
                 const FormerJudge &judge) override;
    void erase(const Uuid &uuid, Revision seen) override;

  private:
    /// A value file that is on its way out.
    struct FormerValue {
        ValueFormat form;
        std::string name; ///< what it is called until its removal is durable, or for good
        const char *keptBecause = nullptr; ///< why it stays for good, for the log; else null
    };
    using Naming = std::function<FormerValue(ValueFormat)>;

    /// Reports the names that look like definitions and are none.
    void tellMisnamed(const Listing &listing);
    /// Looks for the value of a secret; `files` gets those that are looked at.
    [[nodiscard]] StoredValue readValue(const ListedSecret &secret, const ValueReader &reader,
                                        SecretFiles files, std::int64_t now) const;
    void readForm(const Uuid &uuid, ValueFormat form, const ValueReader &reader, SecretFiles &files,
                  StoredValue &out) const;
    /// The file under a name, or empty; answers 0 or -errno.
    int look(const std::string &name, std::optional<FileStatus> &out) const;
    /// Of the files that were looked at.
    [[nodiscard]] Revision revisionNow(const SecretFiles &files, std::int64_t now) const;
    /// The files as they are. Raises systemCall.
    [[nodiscard]] SecretFiles filesOf(const Uuid &uuid) const;
    /// Stores a definition, and a value with it unless that is null, in place of whatever is there.
    void create(const SecretDefinition &definition, const EncodedValue *value);
    void redefine(const SecretDefinition &definition);
    /// Raises ConflictError.
    void requireDefinition(const Uuid &uuid) const;
    /// Makes `value` the only value of a secret that has a definition.
    void storeValue(const Uuid &uuid, const EncodedValue &value, Revision seen,
                    const FormerJudge &judge);
    void removeValue(const Uuid &uuid, const FormerJudge &judge);
    [[nodiscard]] FormerValue formerOf(const Uuid &uuid, ValueFormat form,
                                       const FormerJudge &judge) const;
    /// Takes the value files of all forms but `spared` away, durably, the one that counts last: a
    /// crash on the way never lets an older one count. Spares what is not as it was `read`, unless
    /// that is null; raises internal if it would not count beside `spared`. Raises with all of them
    /// back, or RollbackFailedError.
    [[nodiscard]] std::vector<FormerValue> removeForms(const Uuid &uuid,
                                                       std::optional<ValueFormat> spared,
                                                       const Naming &naming,
                                                       const SecretFiles *read = nullptr);
    /// The file under a name, or empty. Raises systemCall.
    [[nodiscard]] std::optional<FileStatus> fileAt(const std::string &name) const;
    /// Raises internal, with `staged` removed, if a value file is not as it was read.
    void requireAsRead(const Uuid &uuid, const SecretFiles &read, const std::string &staged);
    /// True if the value file of this form is as it was when it was read.
    [[nodiscard]] bool isAsRead(const Uuid &uuid, ValueFormat form, const SecretFiles &read) const;
    /// Gives a former file its name back if it is another than the one that was read. True if so;
    /// raises RollbackFailedError if it cannot.
    [[nodiscard]] bool returnUnread(const Uuid &uuid, const FormerValue &former,
                                    const SecretFiles &read);
    [[nodiscard]] std::string changedText(const Uuid &uuid, ValueFormat form) const;
    /// Gives them their names back. Raises RollbackFailedError with the text of `cause` if it
    /// cannot.
    void restoreForms(const Uuid &uuid, const std::vector<FormerValue> &removed,
                      const Error &cause);
    void writeDefinition(const Uuid &uuid, const std::string &text);
    /// The first name under which nothing is quarantined yet.
    [[nodiscard]] std::string freeQuarantineName(const Uuid &uuid, ValueFormat form) const;
    void reportQuarantined(const Uuid &uuid, ValueFormat form, const std::string &quarantined,
                           const char *reason);
    /// Quarantines every value file of a uuid whose secret is not there or gets another value. True
    /// if there was one.
    bool quarantineOrphans(const Uuid &uuid);
    /// Takes back a definition that was committed but whose value could not follow.
    void rollBack(const Uuid &uuid, ValueFormat form, const std::string &awaiting,
                  const Error &cause);
    void removeFiles(const Uuid &uuid);
    /// Removes a private name; one that resists is remembered and blocks its secret. Answers why.
    std::optional<Error> discard(const Uuid &uuid, const std::string &privateName);
    /// What is done with former values once their removal is durable.
    void retire(const Uuid &uuid, const std::vector<FormerValue> &formers);
    void rememberStaleFile(const Uuid &uuid, const std::string &privateName, const Error &cause);
    /// Raises while a private name of this secret cannot be reconciled: a later load could take it
    /// for part of the change that is about to be made.
    void requireNoStaleFiles(const Uuid &uuid);
    /// Gives a value of this secret that is under a private name its own, and answers the failure
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
    const Clock clock_;
    Mutex staleFilesMutex_;
    std::multimap<Uuid, std::string> staleFiles_ GUARDED_BY(staleFilesMutex_);
    std::atomic<bool> hasStaleFiles_{false};
    bool hasToldUnsyncable_ = false; ///< of start()
};

/// The text of a definition file. Raises configUnsupported if it is so large that a load would
/// refuse it; the limit is libxml2's for one text (10,000,000 bytes).
[[nodiscard]] std::string definitionFileText(const SecretDefinition &definition);

} // namespace keyhold
