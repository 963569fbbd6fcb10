// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/file_system.h"
#include "seal/sealing_policy.h"
#include "store/revision.h"

#include <array>
#include <cstdint>
#include <optional>

namespace keyhold {

/// Nanoseconds. A file that changed less than this before it was looked at may change again without
/// another time of change: kernels keep those in steps of a clock tick, some file systems of two
/// seconds.
inline constexpr std::int64_t kRacyTime = 3'000'000'000;

/// The files of a secret as they were at one moment; empty where there was none.
struct SecretFiles {
    std::optional<FileStatus> definition;
    std::array<std::optional<FileStatus>, kValueFormats.size()> values; ///< by format

    [[nodiscard]] std::optional<FileStatus> &value(ValueFormat format) {
        return values.at(static_cast<std::size_t>(format));
    }
    [[nodiscard]] const std::optional<FileStatus> &value(ValueFormat format) const {
        return values.at(static_cast<std::size_t>(format));
    }
};

/// The revision of a secret: a keyed hash of device, inode, size and time of change of each file.
/// It proves nothing if a file changed only just before `now` (nanoseconds since the epoch), or if
/// there is more than one value.
[[nodiscard]] Revision fingerprintOf(const SecretFiles &files, std::int64_t now);

/// Nanoseconds since the epoch: never later than the clock that stamps files.
[[nodiscard]] std::int64_t fileClock() noexcept;

} // namespace keyhold
