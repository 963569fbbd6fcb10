// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "seal/value_error.h"

#include <memory>
#include <string>
#include <utility>

namespace keyhold {

/// A sealed value needs a key that is not here, or cannot be told to be. Its text is the same for
/// all values that need the same key.
class MissingKeyError : public ValueError {
  public:
    /// `keyId` is empty where the value does not name its key.
    MissingKeyError(std::string keyId, const std::string &text,
                    SourcePlace place = SourcePlace::current())
        : ValueError(text, {}, ErrorCode::invalidEncryptionKey, place),
          keyId_(std::make_shared<const std::string>(std::move(keyId))) {}

    [[nodiscard]] const std::string &keyId() const noexcept { return *keyId_; }

  private:
    std::shared_ptr<const std::string> keyId_; // as the message of an Error
};

} // namespace keyhold
