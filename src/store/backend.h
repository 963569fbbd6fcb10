// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "conf/secret_definition.h"
#include "seal/sealing_policy.h"
#include "store/revision.h"
#include "store/value.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keyhold {

/// A secret as the backend holds it.
struct StoredSecret {
    SecretDefinition definition;
    Value value;
    Revision files = kUnknownRevision;
};

/// A secret that has a definition, readable or not, as a listing saw it.
struct ListedSecret {
    Uuid uuid;
    ValueFormats forms = 0; ///< of the values that are there
};

/// Durable home of the secrets of one store. A call that changes something returns once the change
/// is on stable storage, or raises and has changed nothing, or raises RollbackFailedError. Calls
/// for different secrets may run at the same time; calls for one secret are the caller's to
/// serialize. The value of a definition that says ephemeral is never written: create() and
/// replaceValue() raise internal for one.
class Backend {
  public:
    virtual ~Backend() = default;

    /// Where the secrets are, for texts.
    [[nodiscard]] virtual std::string place() const = 0;

    /// Puts right what an interrupted process left behind, and answers and raises what list() does
    /// then. Called once, before anything else reads.
    virtual std::vector<ListedSecret> recover() = 0;

    /// The secrets that have a definition, in the backend's own order. Raises fileAccess or
    /// systemCall if they cannot be listed in full.
    [[nodiscard]] virtual std::vector<ListedSecret> list() = 0;

    /// Empty if there is no definition of this uuid. A definition that cannot be read or does not
    /// parse raises; a value that cannot be had makes an unreadable Value. A value is looked for in
    /// the forms that are listed. The fingerprint is known if the value could be had.
    [[nodiscard]] virtual std::optional<StoredSecret> read(const ListedSecret &secret) = 0;
    /// Looks for a value in each form.
    [[nodiscard]] std::optional<StoredSecret> read(const Uuid &uuid) {
        return read(ListedSecret{uuid, kAllForms});
    }
    /// The fingerprint that read() would give now, if it is known without reading.
    [[nodiscard]] virtual Revision fingerprint(const ListedSecret &secret) = 0;

    /// Stores a secret the live set does not hold as stored, with its value if `value` is not null
    /// (plain bytes, guarded memory of the caller's). A value file of a secret that is there but
    /// was never loaded is taken over and returned; one that belongs to no secret, or whose secret
    /// gets another value, is put aside.
    virtual Value create(const SecretDefinition &definition,
                         const std::span<const std::uint8_t> *value) = 0;

    /// Replaces the definition of a stored secret; its value stays. False, with nothing changed, if
    /// the backend no longer has it: somebody removed it, and create() stores it again.
    [[nodiscard]] virtual bool replaceDefinition(const SecretDefinition &definition) = 0;

    /// Replaces the value of a stored secret. If the backend lost the definition meanwhile, it is
    /// stored again with the value. A former value that nobody can read is put aside.
    virtual void replaceValue(const SecretDefinition &definition,
                              std::span<const std::uint8_t> value) = 0;
    /// Removes the value of a stored secret; one that nobody can read is put aside.
    virtual void removeValue(const Uuid &uuid) = 0;

    /// The secrets whose value, when it was read last, had another form than the rules of now ask
    /// for, or an earlier key; if all are to be plain, also those with a file of another form
    /// besides.
    [[nodiscard]] virtual std::vector<Uuid> reencryptable() const = 0;
    /// Writes the value that is stored as the rules of now ask for. False if there is nothing to
    /// do. By one thread at a time.
    virtual bool reencryptValue(const Uuid &uuid) = 0;

    /// Removes a stored secret and its value.
    virtual void remove(const Uuid &uuid) = 0;
};

} // namespace keyhold
