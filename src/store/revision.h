// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

namespace keyhold {

/// Stands for the state of a secret in its backend; opaque to all but the backend that gave it.
class Revision {
  public:
    /// Unknown: says nothing.
    constexpr Revision() = default;
    /// `isProof`: no later state of the secret has the same mark. Of `mark`, 63 bits count.
    constexpr Revision(std::uint64_t mark, bool isProof) : state_(mark << 1 | (isProof ? 0 : 1)) {
        if (state_ == 0)
            state_ = 2;
    }

    [[nodiscard]] constexpr bool isKnown() const noexcept { return state_ != 0; }
    /// True if a reading at `now` would have the result that it had at this revision.
    [[nodiscard]] constexpr bool isSurely(Revision now) const noexcept {
        return isKnown() && (state_ & 1) == 0 && state_ == now.state_;
    }
    /// True if the secret surely changed between the two.
    [[nodiscard]] constexpr bool differsFrom(Revision other) const noexcept {
        return isKnown() && other.isKnown() && (state_ | 1) != (other.state_ | 1);
    }

  private:
    std::uint64_t state_ = 0; ///< 0: unknown; the lowest bit: no proof
};

} // namespace keyhold
