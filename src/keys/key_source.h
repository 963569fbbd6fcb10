// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"
#include "os/deadline.h"
#include "seal/guarded_memory.h"
#include "seal/keyring.h"

#include <span>
#include <string>
#include <utility>

namespace keyhold {

/// A key as its source gave it.
struct FetchedKey {
    GuardedMemory bytes; ///< Key::kSize
    /// Why the key must not seal anything new, with source and remedy; empty if it may. What was
    /// sealed with it can be opened.
    std::string complaint;

    [[nodiscard]] std::span<const std::uint8_t, Key::kSize> raw() const {
        return bytes.bytes().first<Key::kSize>();
    }
};

/// Nothing is at the place of a key, or what is no key.
class NoKeyError : public Error {
  public:
    /// `firstRemedy` says what makes a key.
    NoKeyError(std::string text, const char *firstRemedy,
               SourcePlace place = SourcePlace::current())
        : Error(ErrorCode::invalidEncryptionKey, std::move(text), 0, place),
          firstRemedy_(firstRemedy) {}

    /// For who may have sealed nothing yet; to be in no text about a value that is sealed.
    [[nodiscard]] std::string textWithFirstRemedy() const {
        return fullText() + "; if nothing was sealed yet, " + firstRemedy_;
    }

  private:
    const char *firstRemedy_;
};

/// A place that one key comes from.
class KeySource {
  public:
    virtual ~KeySource() = default;

    /// What people know it by, such as the path of a file. Nothing to show before a fetch succeeds:
    /// somebody may have written the key itself there.
    [[nodiscard]] const std::string &name() const noexcept { return name_; }

    /// Asks each time. Raises invalidEncryptionKey, with source and remedy, if the key is not
    /// there or is no key (NoKeyError), or does not come before the deadline; noMemory.
    [[nodiscard]] virtual FetchedKey fetch(const Deadline &deadline) const = 0;

  protected:
    explicit KeySource(std::string name) : name_(std::move(name)) {}

  private:
    std::string name_;
};

} // namespace keyhold
