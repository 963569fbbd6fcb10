// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/file_system.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace keyhold {

/// Stands for the files of a secret as they were when they were read: a keyed hash of device,
/// inode, size and time of change of each, and of the rules they were read by. Two that are equal
/// and known say that a reading would have the same result.
using Fingerprint = std::uint64_t;
inline constexpr Fingerprint kUnknownFiles = 0; ///< equal to nothing: the files must be read

/// Nanoseconds. A file that changed less than this before it was looked at may change again without
/// another time of change: kernels keep those in steps of a clock tick, some file systems of two
/// seconds.
inline constexpr std::int64_t kRacyTime = 3'000'000'000;

/// Gathers what a fingerprint is made of: the definition file first, then a value file.
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
    [[nodiscard]] Fingerprint finish() const;

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

/// The fingerprint of a record that is shared and else constant. A copy of the record is another
/// state of the secret, whose files nobody has read yet: the fingerprint is not copied.
class KeptFingerprint {
  public:
    KeptFingerprint() = default;
    explicit KeptFingerprint(Fingerprint files) : files_(files) {}
    KeptFingerprint(KeptFingerprint &&other) noexcept : files_(other.get()) {}
    KeptFingerprint(const KeptFingerprint & /*other*/) noexcept {}
    KeptFingerprint &operator=(const KeptFingerprint &) = delete;
    ~KeptFingerprint() = default;

    [[nodiscard]] Fingerprint get() const noexcept {
        return files_.load(std::memory_order_relaxed);
    }
    void set(Fingerprint files) const noexcept { files_.store(files, std::memory_order_relaxed); }

  private:
    mutable std::atomic<Fingerprint> files_{kUnknownFiles};
};

} // namespace keyhold
