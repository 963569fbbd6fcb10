// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/mutex.h"
#include "store/backend.h"
#include "store/record.h"

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keyhold {

/// A secret that was read from a backend and opened.
struct OpenedSecret {
    SecretDefinition definition;
    Value value;
    ReadMark mark;
};

/// Between the store and its backend: seals what goes down, opens what comes up, and knows which
/// values the policy asks to be re-encrypted. Raises what the backend does. Calls for different
/// secrets may run at the same time.
class Barrier {
  public:
    Barrier(std::shared_ptr<Backend> backend, std::shared_ptr<const CurrentPolicy> policy)
        : backend_(std::move(backend)),
          policy_(std::move(policy)) {}

    [[nodiscard]] Backend &backend() const noexcept { return *backend_; }
    [[nodiscard]] bool isExact() const noexcept {
        return backend_->revisionKind() == RevisionKind::exact;
    }

    /// Empty if there is no definition; a value that cannot be had makes an unreadable Value.
    [[nodiscard]] std::optional<OpenedSecret> read(const ListedSecret &secret);
    /// Looks for a value in each format.
    [[nodiscard]] std::optional<OpenedSecret> read(const Uuid &uuid) {
        return read(ListedSecret{uuid, kAllForms});
    }
    /// As read(), of a secret that the caller does not know as stored: empty too if it does not
    /// load, or could not be redefined as it is because the revisions of the backend are exact.
    [[nodiscard]] std::optional<OpenedSecret> readUnloaded(const Uuid &uuid);
    /// True if a reading would give what the record was made of.
    [[nodiscard]] bool isAsRead(const ListedSecret &secret, const Record &record) const;

    /// Stores a secret that the caller does not know as stored, with a value that is none or can be
    /// read.
    ReadMark create(const SecretDefinition &definition, const Value &value);
    /// The next four change a stored secret, of which the caller saw `seen`. Where revisions are
    /// advisory, a client's change is made whatever others did.
    ReadMark redefine(const SecretDefinition &definition, ReadMark seen);
    /// A value of a definition that says ephemeral is never written: raises internal. Where
    /// revisions are advisory, a definition that has gone is stored again.
    ReadMark setValue(const SecretDefinition &definition, std::span<const std::uint8_t> plain,
                      ReadMark seen);
    ReadMark removeValue(const Uuid &uuid, ReadMark seen);
    void erase(const Uuid &uuid, ReadMark seen);

    /// A secret that was read is not loaded: its value is not re-encrypted, and keeps none from
    /// being stored.
    void forget(const Uuid &uuid) { noteFormat(uuid, std::nullopt); }

    /// Of a value that is set now; empty if it would be refused.
    [[nodiscard]] std::optional<ValueFormat> formatOfNew() const;

    /// The secrets whose value, when it was read last, had another format than the current policy
    /// asks for, or an earlier key; if all are to be plain, also those with a value of another
    /// format that does not count.
    [[nodiscard]] std::vector<Uuid> reencryptable() const;
    /// Stores the value as the current policy asks for. False if there is nothing to do. `record`
    /// is what the live set holds, or null: where it shows what is stored, nothing is read. By one
    /// thread at a time.
    bool reencrypt(const Uuid &uuid, const Record *record);

  private:
    using Policy = std::shared_ptr<const SealingPolicy>;

    /// What is to be re-encrypted.
    struct Reencryptable {
        Value value; ///< readable
        ValueFormat format;
        ValueFormats present;
        Revision revision;
    };

    [[nodiscard]] std::optional<Reencryptable>
    findReencryptable(const SealingPolicy &policy, const Uuid &uuid, const Record *record);
    [[nodiscard]] bool isAsRead(const SealingPolicy &policy, const ListedSecret &secret,
                                const Record &record) const;
    /// What put() gets for a client's change.
    [[nodiscard]] Revision ofClient(ReadMark seen) const;
    /// Stores a value in the format of new ones, and a definition with it if that is not null.
    ReadMark putSealed(const SealingPolicy &policy, const Uuid &uuid,
                       const SecretDefinition *definition, std::span<const std::uint8_t> plain,
                       std::optional<Revision> seen, const FormerJudge &judge);
    ReadMark createSealed(const SecretDefinition &definition, std::span<const std::uint8_t> plain);
    /// Raises invalidEncryptionKey if a configured key is missing, or there is a value that libvirt
    /// encrypted and that cannot be opened: where one does not fit, a wrong key may be in place,
    /// and another that seems to fit may be garbage, which would be written as the value.
    void requireEveryAes256CbcOpens(const Policy &policy);
    /// Raises invalidEncryptionKey, naming one, where sealed values keep new ones from being
    /// stored.
    void requireNoSealed(const SealingPolicy &policy) const;
    /// `format` of a value that should be re-encrypted, or that keeps new ones from being stored;
    /// empty if it is neither.
    void noteFormat(const Uuid &uuid, std::optional<ValueFormat> format);
    [[nodiscard]] std::optional<ValueFormat> reencryptableFormat(const Uuid &uuid) const;

    const std::shared_ptr<Backend> backend_;
    const std::shared_ptr<const CurrentPolicy> policy_;
    mutable Mutex otherFormatsMutex_;
    /// Of values that are not stored as the policy would store them.
    std::map<Uuid, ValueFormat> otherFormats_ GUARDED_BY(otherFormatsMutex_);
    std::atomic<bool> hasOtherFormats_{false};
    std::weak_ptr<const SealingPolicy> judgedBy_; ///< what misfit_ was found with
    std::string misfit_; ///< place of a value that does not open; both of the re-encrypting thread
};

} // namespace keyhold
