// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "conf/secret_definition.h"
#include "seal/sealing_policy.h"
#include "store/revision.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keyhold {

/// A value as it is stored: in the clear if the format is plain, else sealed. The bytes are lent
/// for one call, and are in guarded memory if they are in the clear. Which key sealed it, its text
/// says (docs/at-rest-format.md).
struct EncodedValue {
    ValueFormat format;
    std::span<const std::uint8_t> bytes;
};

/// Gets each value that a secret has, in the order of kValueFormats, until it answers true: what it
/// was lent is the value, and not blank. An Error that it raises is why the value cannot be had.
using ValueReader = std::function<bool(const EncodedValue &)>;

/// The formats that count less than `format`. Something there beside a value of `format` is what an
/// interrupted change leaves, or somebody put there.
[[nodiscard]] constexpr ValueFormats formatsBehind(ValueFormat format) noexcept {
    return kAllForms & ~(2 * only(format) - 1);
}

/// What get() found besides the bytes.
struct StoredValue {
    std::optional<ValueFormat> format; ///< of the value that counts; empty if there is none
    ValueFormats present = 0;          ///< formats in which there is something
    /// Why there is a value that cannot be had: valueUnreadable, or the code of the reader's error.
    /// The text says where the value is.
    std::optional<Error> unreadable;
    Revision revision; ///< of the secret, before it was read

    [[nodiscard]] bool isThere() const noexcept { return format || unreadable; }
};

struct StoredSecret {
    SecretDefinition definition;
    StoredValue value;
};

/// A secret that has a definition, readable or not, as a listing saw it.
struct ListedSecret {
    Uuid uuid;
    ValueFormats forms = 0; ///< of the values that are there
};

/// What put() does to a secret. What is not named stays as it is, byte for byte.
struct SecretChange {
    const SecretDefinition *definition = nullptr;
    std::optional<EncodedValue> value = std::nullopt;
    bool removesValue = false; ///< only by itself
};

/// Asked before a value is replaced or removed: why it must be kept, for the log, or null if it may
/// go. `lend` gives it to a reader, and raises what the reader does or why it cannot be read.
using FormerJudge = std::function<const char *(
    ValueFormat format, const std::function<void(const ValueReader &)> &lend)>;

/// A change was refused, and nothing was done, because the secret is not as its caller saw it.
class ConflictError : public Error {
  public:
    using Error::Error;
};

/// What the revisions of a backend are good for.
enum class RevisionKind {
    exact,    ///< each change gives another one, and all are known
    advisory, ///< two that are known and differ say that something changed
};

/// Whether names that look like those of secrets, and are none, go to the log.
enum class Strays { told, passedOver };

/// Durable home of the secrets of one store, whom nobody trusts with a key. A call that changes
/// something returns once the change is on stable storage, or raises and has changed nothing, or
/// raises RollbackFailedError. Calls for different secrets may run at the same time; calls for one
/// secret are the caller's to serialize. tests/store/backend_contract_test.cpp is this in tests.
class Backend {
  public:
    virtual ~Backend() = default;

    /// Where the secrets are, and where one definition or value is, for texts.
    [[nodiscard]] virtual std::string place() const = 0;
    [[nodiscard]] virtual std::string placeOf(const Uuid &uuid) const = 0;
    [[nodiscard]] virtual std::string placeOf(const Uuid &uuid, ValueFormat format) const = 0;

    [[nodiscard]] virtual RevisionKind revisionKind() const noexcept = 0;
    /// True if no change would be taken now, so that none is tried unasked.
    [[nodiscard]] virtual bool isReadOnly() const noexcept { return false; }

    /// Puts right what an interrupted process left behind, and answers and raises what list() does
    /// then, strays told. Called once, before anything else reads.
    virtual std::vector<ListedSecret> start() = 0;

    /// The secrets that have a definition, in the backend's own order. Raises fileAccess or
    /// systemCall if they cannot be listed in full.
    [[nodiscard]] virtual std::vector<ListedSecret> list(Strays strays) = 0;

    /// Empty if there is no definition of this uuid. A definition that cannot be read or does not
    /// parse raises. A value is looked for in the formats that are listed.
    [[nodiscard]] virtual std::optional<StoredSecret> get(const ListedSecret &secret,
                                                          const ValueReader &reader) = 0;
    /// The value alone, whether the definition can be read or not. Changes nothing, so that it may
    /// run beside a change of the secret.
    [[nodiscard]] virtual std::optional<StoredValue> getValue(const ListedSecret &secret,
                                                              const ValueReader &reader) = 0;
    /// The revision that get() would give now, if it is known without reading.
    [[nodiscard]] virtual Revision revisionOf(const ListedSecret &secret) = 0;

    /// Changes one secret. `seen` is the revision that the caller saw, which may be unknown, or
    /// empty if it saw no such secret: then a definition is stored, and values that are there all
    /// the same are kept under names that do not count. Raises ConflictError if the secret is not
    /// as seen, or it has no definition and a part of it is to be replaced. Answers the revision
    /// now.
    virtual Revision put(const Uuid &uuid, const SecretChange &change, std::optional<Revision> seen,
                         const FormerJudge &judge) = 0;

    /// Removes a secret and its value, if it is there. Raises ConflictError as put() does.
    virtual void erase(const Uuid &uuid, Revision seen) = 0;

    /// Has `changed` called with each secret that others change or remove, from the last start() or
    /// list() on, on a thread of the backend's; null ends that, and no call runs any more when this
    /// returns. A backend that is not told of changes does nothing: it is listed again at a reload.
    virtual void watch(const std::function<void(const Uuid &uuid)> & /*changed*/) {}
};

} // namespace keyhold
