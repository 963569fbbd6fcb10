// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "conf/uuid.h"
#include "seal/shield.h"

#include <memory>

namespace keyhold {

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
    /// with it and the remedy.
    [[nodiscard]] static Value unreadable(const Error &reason) {
        Value value;
        value.reason_ = std::make_shared<const Error>(reason);
        return value;
    }

    [[nodiscard]] bool isNone() const noexcept { return !shielded_ && !reason_; }
    [[nodiscard]] bool isUnreadable() const noexcept { return reason_ != nullptr; }
    /// Null unless there is a readable value.
    [[nodiscard]] const ShieldedValue *shielded() const noexcept { return shielded_.get(); }
    /// Only for isUnreadable().
    [[nodiscard]] const Error &reason() const noexcept { return *reason_; }

  private:
    std::shared_ptr<const ShieldedValue> shielded_;
    std::shared_ptr<const Error> reason_;
};

/// True for two values of the same bytes, or none, or two that cannot be had, whatever the reasons.
[[nodiscard]] bool isSameValue(const Uuid &uuid, const Value &a, const Value &b);

} // namespace keyhold
