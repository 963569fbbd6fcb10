// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/fingerprint.h"

#include "conf/keyed_hash.h"

#include <ctime>

namespace keyhold {

void FingerprintMaker::add(std::uint64_t part) {
    if (count_ < parts_.size())
        parts_[count_++] = part;
    else
        spoil();
}

void FingerprintMaker::addFile(std::uint64_t kind, const FileStatus &status) {
    add(kind);
    add(status.device);
    add(status.inode);
    add(static_cast<std::uint64_t>(status.size));
    add(static_cast<std::uint64_t>(status.changed));
    // A time in the future is of a clock that says nothing here.
    if (status.changed > now_ - kRacyTime)
        spoil();
}

Revision FingerprintMaker::finish() const {
    if (!isKnown_)
        return kUnknownRevision;
    const auto *bytes = reinterpret_cast<const std::uint8_t *>(parts_.data());
    const Revision files = keyedHash({bytes, count_ * sizeof(parts_[0])});
    return files == kUnknownRevision ? 1 : files;
}

std::int64_t fingerprintClock() noexcept {
    timespec now{};
    // The coarse clock is the one that the kernel stamps files with.
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

} // namespace keyhold
