// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

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

/// A place that one key comes from.
class KeySource {
  public:
    virtual ~KeySource() = default;

    /// What people know it by, such as the path of a file. Nothing to show before a fetch succeeds:
    /// somebody may have written the key itself there.
    [[nodiscard]] const std::string &name() const noexcept { return name_; }

    /// Asks each time. Raises invalidEncryptionKey, with source and remedy, if the key is not
    /// there, is no key, or does not come before the deadline; noMemory.
    [[nodiscard]] virtual FetchedKey fetch(const Deadline &deadline) const = 0;

  protected:
    explicit KeySource(std::string name) : name_(std::move(name)) {}

  private:
    std::string name_;
};

} // namespace keyhold
