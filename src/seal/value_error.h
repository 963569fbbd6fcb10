// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"

#include <memory>
#include <string>

namespace keyhold {

/// A stored value cannot be had: it is damaged, or not what it claims to be. The text begins with a
/// verb: who read the file puts its name before.
class ValueError : public Error {
  public:
    /// `cause` is given where `text` says more than what many values can have in common.
    explicit ValueError(const std::string &text, const std::string &cause = {},
                        ErrorCode code = ErrorCode::valueUnreadable,
                        SourcePlace place = SourcePlace::current())
        : Error(code, text, 0, place),
          cause_(std::make_shared<const std::string>(cause.empty() ? text : cause)) {}

    /// The same for all values that cannot be had for this reason.
    [[nodiscard]] const std::string &cause() const noexcept { return *cause_; }

  private:
    std::shared_ptr<const std::string> cause_; // as the message of an Error
};

/// A value in plain, where plain_values refuses those. The text has the remedy.
class RefusedPlainError : public ValueError {
  public:
    explicit RefusedPlainError(SourcePlace place = SourcePlace::current())
        : ValueError("is not sealed, and plain_values in secret.conf refuses it; if the value is "
                     "right, write plain_values = \"accept\", reload and run 'keyhold seal'; if "
                     "not, set it again",
                     {}, ErrorCode::valueUnreadable, place) {}
};

/// Internal to this room.
[[nodiscard]] inline ValueError unreadable(const std::string &why, const std::string &cause = {},
                                           SourcePlace place = SourcePlace::current()) {
    return ValueError(why, cause, ErrorCode::valueUnreadable, place);
}

} // namespace keyhold
