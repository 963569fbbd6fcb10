// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "conf/uuid.h"
#include "seal/shield.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace keyhold {

/// Why a stored value cannot be had, as far as many values can have it in common.
struct UnreadableCause {
    std::string why;
    /// The id of the key that it needs and that is not here; an empty one if the value names none.
    std::optional<std::string> missingKey;

    auto operator<=>(const UnreadableCause &) const = default;
};

/// The value of a secret as a record holds it: none, one at rest in memory, or one that is stored
/// but cannot be had, with the reason a reader is told. Immutable and cheap to copy.
class Value {
  public:
    Value() = default;

    [[nodiscard]] static Value of(ShieldedValue shielded) {
        Value value;
        value.shielded_ = std::make_shared<const ShieldedValue>(std::move(shielded));
        return value;
    }
    /// `reason` is valueUnreadable or invalidEncryptionKey; its text names the file, what is wrong
    /// with it and the remedy. Without a `cause`, the reason is one of this value alone.
    [[nodiscard]] static Value unreadable(const Error &reason,
                                          std::optional<UnreadableCause> cause = {}) {
        if (!cause)
            cause = {reason.message(), std::nullopt};
        Value value;
        value.unreadable_ =
            std::make_shared<const Unreadable>(Unreadable{reason, *std::move(cause)});
        return value;
    }

    [[nodiscard]] bool isNone() const noexcept { return !shielded_ && !unreadable_; }
    [[nodiscard]] bool isUnreadable() const noexcept { return unreadable_ != nullptr; }
    /// Null unless there is a readable value.
    [[nodiscard]] const ShieldedValue *shielded() const noexcept { return shielded_.get(); }
    /// Only for isUnreadable().
    [[nodiscard]] const Error &reason() const noexcept { return unreadable_->reason; }
    /// Only for isUnreadable().
    [[nodiscard]] const UnreadableCause &cause() const noexcept { return unreadable_->cause; }

  private:
    struct Unreadable {
        Error reason;
        UnreadableCause cause;
    };

    std::shared_ptr<const ShieldedValue> shielded_;
    std::shared_ptr<const Unreadable> unreadable_;
};

/// True for two values of the same bytes, or none, or two that cannot be had, whatever the reasons.
[[nodiscard]] bool isSameValue(const Uuid &uuid, const Value &a, const Value &b);

} // namespace keyhold
