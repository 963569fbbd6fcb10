// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstdint>

namespace keyhold {

/// Stands for the state of a secret in its backend as it was when it was read. Two that are equal
/// and known say that a reading would have the same result.
using Revision = std::uint64_t;
inline constexpr Revision kUnknownRevision = 0; ///< equal to nothing: the backend must be read

/// The revision of a record that is shared and else constant. A copy of the record is another
/// state of the secret, that nobody has read yet: the revision is not copied.
class KeptRevision {
  public:
    KeptRevision() = default;
    explicit KeptRevision(Revision revision) : revision_(revision) {}
    KeptRevision(KeptRevision &&other) noexcept : revision_(other.get()) {}
    KeptRevision(const KeptRevision & /*other*/) noexcept {}
    KeptRevision &operator=(const KeptRevision &) = delete;
    ~KeptRevision() = default;

    [[nodiscard]] Revision get() const noexcept {
        return revision_.load(std::memory_order_relaxed);
    }
    void set(Revision revision) const noexcept { revision_.store(revision, std::memory_order_relaxed); }

  private:
    mutable std::atomic<Revision> revision_{kUnknownRevision};
};

} // namespace keyhold
