// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "conf/current.h"
#include "store/barrier.h"
#include "store/index.h"
#include "store/reencryption.h"
#include "store/unreadable_values.h"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>

namespace keyhold {

/// The secrets of one instance: the live set in memory and its durable home, kept equal. Success of
/// a change means that it is on stable storage, visible, and in the list of changes, in that order.
/// All calls are safe at any time from any thread; changes to different secrets run side by side.
class SecretStore {
  public:
    /// Says whether the caller may do what it asks to the secret of this definition; raises if not.
    /// Called without any lock held.
    using AccessCheck = std::function<void(const SecretDefinition &)>;

    /// The log must outlive the store. `policy` may change at any time; each call goes by the one
    /// that it finds.
    SecretStore(std::shared_ptr<Backend> backend, std::shared_ptr<const CurrentPolicy> policy,
                AdminLog &log);
    ~SecretStore();
    SecretStore(const SecretStore &) = delete;
    SecretStore &operator=(const SecretStore &) = delete;

    /// Reads everything the backend holds, on all cores. Failures go to the log; a backend that
    /// cannot be listed leaves the store empty, and lookups then raise that failure.
    void load();

    /// Brings the live set in line with what is stored now: takes over what is new or changed,
    /// drops what is gone, keeps what became unreadable, and never undoes what a client does
    /// in between.
    void reload();

    /// Makes one secret what the backend holds now, as its writer, and raises the events: the one
    /// way in for what others change. What keeps the record as it is goes to the log; raises
    /// internal if the secret cannot have its use, and bad_alloc.
    void apply(const Uuid &uuid);

    /// Whether reencrypt() would find something to do.
    [[nodiscard]] bool needsReencryption() const { return reencryptableCount() > 0; }
    [[nodiscard]] std::size_t reencryptableCount() const {
        return barrier_.get()->reencryptable().size();
    }
    /// As Barrier::formatOfNew().
    [[nodiscard]] std::optional<ValueFormat> formatOfNew() const {
        return barrier_.get()->formatOfNew();
    }

    /// Writes stored values whose format or key is not what the current policy asks for, one at a
    /// time, beside all other calls; what fails is told to the log and stays as it is. Ends early,
    /// without loss, once `isStopped` answers true. Not for two threads at once.
    void reencrypt(const std::function<bool()> &isStopped);

    /// Empty if none that found something to do has ended yet.
    [[nodiscard]] std::optional<EndedReencryption> lastReencryption() const {
        return lastReencryption_.get();
    }

    /// From now on `backend` is the durable home; reload() reads all of it and brings the live set
    /// in line.
    void replaceBackend(std::shared_ptr<Backend> backend);

    /// Raises notFound with the stock driver's text, or the failure that kept the store from
    /// loading.
    [[nodiscard]] RecordPtr get(const Uuid &uuid) const;
    [[nodiscard]] RecordPtr get(const Usage &usage) const;
    /// Raises the failure that kept the store from loading.
    [[nodiscard]] RecordSnapshot all() const;

    /// Defines or redefines; `check` is asked about the new definition, and about the present one
    /// too if its use differs. Returns the record that is now visible.
    RecordPtr define(const SecretDefinition &definition, const AccessCheck &check);
    /// Sets the value, or removes it if `value` is empty. The plain bytes stay the caller's.
    void setValue(const Uuid &uuid, std::span<const std::uint8_t> value, const AccessCheck &check);
    void undefine(const Uuid &uuid, const AccessCheck &check);

    [[nodiscard]] bool hasEphemeral() const { return ephemeralCount() > 0; }
    [[nodiscard]] std::size_t ephemeralCount() const { return index_.ephemeralCount(); }
    /// Changes published since the last call, in order.
    [[nodiscard]] std::list<Change> takeChanges() { return index_.takeChanges(); }

  private:
    static constexpr int kMaxConflicts = 8;

    /// A writer of `uuid` whose current record passed `check` as it is now.
    [[nodiscard]] std::unique_ptr<IndexWriter> checkedWriter(const Uuid &uuid,
                                                             const AccessCheck &check);
    /// The same for a definition that may be new.
    [[nodiscard]] std::unique_ptr<IndexWriter> definitionWriter(const SecretDefinition &definition,
                                                                const AccessCheck &check);
    /// One try; raises ConflictError if the backend does.
    RecordPtr tryDefine(const SecretDefinition &definition, const AccessCheck &check);
    /// Tries again as long as others change the secret at the same time, and takes over what they
    /// did; ends with the error after the eighth time.
    template <typename Attempt>
    auto retryConflicts(const Uuid &uuid, const Attempt &attempt) {
        for (int tries = 1;; ++tries) {
            try {
                return attempt();
            } catch (const ConflictError &) {
                if (tries == kMaxConflicts)
                    raiseStillChanged(uuid);
            }
            apply(uuid);
        }
    }
    [[noreturn]] static void raiseStillChanged(const Uuid &uuid);
    /// Does the durable part of a change; if that could not be taken back, the record follows.
    template <typename Work>
    void changeStored(IndexWriter &writer, const Uuid &uuid, const Work &work);
    /// Stores an ephemeral secret that becomes persistent and whose files somebody has written: its
    /// value need not be that of the files.
    static void storeHandwritten(Barrier &durable, Record &next);
    static void redefineStored(Barrier &durable, Record &next, ReadMark seen);
    static void createStored(Barrier &durable, Record &next);
    static void removeStored(Barrier &durable, const Record &current);

    /// Null, with the failure told to the log, if it cannot be read or is gone.
    [[nodiscard]] RecordPtr readListed(Barrier &durable, const ListedSecret &listed) const;
    /// Makes the live record of the writer's uuid what the backend holds. A value that cannot be
    /// had is added to `unreadable`, which is the caller's to tell.
    void reconcile(IndexWriter &writer, const Uuid &uuid, UnreadableValues &unreadable);
    /// True if a secret that is stored, as far as is known, has no definition in the backend.
    [[nodiscard]] bool isMissing(const Uuid &uuid);
    /// As apply(), with all failures told to the log.
    void applyLogged(const Uuid &uuid) noexcept;
    /// As reconcile(), with failures told to the log.
    void reconcileLogged(IndexWriter &writer, const Uuid &uuid);
    void reconcileLogged(IndexWriter &writer, const Uuid &uuid, UnreadableValues &unreadable);
    /// Of a reading of everything; what is as it was at the last one is not told again.
    void tellUnreadable(const UnreadableValues &unreadable);
    /// Has the barrier's backend tell of changes from now on.
    void follow(Barrier &durable);
    void tellHandwritten(const SecretDefinition &definition) const;

    Index index_;
    AdminLog &log_;
    const std::shared_ptr<const CurrentPolicy> policy_;
    Current<std::shared_ptr<Barrier>> barrier_;
    Current<std::optional<Error>> failure_; ///< what kept the store from loading
    Current<UnreadableValues::Counts> toldUnreadable_;
    Current<std::optional<EndedReencryption>> lastReencryption_;
};

} // namespace keyhold
