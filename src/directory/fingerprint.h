// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/file_system.h"
#include "store/revision.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace keyhold {

/// Nanoseconds. A file that changed less than this before it was looked at may change again without
/// another time of change: kernels keep those in steps of a clock tick, some file systems of two
/// seconds.
inline constexpr std::int64_t kRacyTime = 3'000'000'000;

/// Makes the revision of a secret of its files, a keyed hash of device, inode, size and time of change
/// of each, and of the rules they were read by: the definition file first, then a value file.
class FingerprintMaker {
  public:
    /// `rules` stands for what decides how files are read. `now` in nanoseconds since the epoch.
    FingerprintMaker(std::uint64_t rules, std::int64_t now) : now_(now) { add(rules); }

    /// What fstat said before the file was read.
    void addDefinition(const FileStatus &status) { addFile(kDefinition, status); }
    void addValue(unsigned form, const FileStatus &status) { addFile(form, status); }
    /// The result is unknown, whatever else is added.
    void spoil() noexcept { isKnown_ = false; }

    /// Unknown if a file changed only just now, or there are more than one definition and one
    /// value.
    [[nodiscard]] Revision finish() const;

  private:
    static constexpr std::uint64_t kDefinition = ~std::uint64_t{0};

    void add(std::uint64_t part);
    void addFile(std::uint64_t kind, const FileStatus &status);

    std::int64_t now_;
    bool isKnown_ = true;
    std::size_t count_ = 0;
    std::array<std::uint64_t, 11> parts_{};
};

/// Now, for FingerprintMaker: never later than the clock that stamps files.
[[nodiscard]] std::int64_t fingerprintClock() noexcept;

} // namespace keyhold
