// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directory/fingerprint.h"

#include "conf/sodium.h"

#include <ctime>

namespace keyhold {

Revision fingerprintOf(const SecretFiles &files, std::int64_t now) {
    std::array<std::uint64_t, 5 * (1 + kValueFormats.size())> parts{};
    std::size_t count = 0;
    std::size_t values = 0;
    bool isProof = true;
    const auto add = [&](std::uint64_t kind, const FileStatus &status) {
        for (const std::uint64_t part :
             {kind, std::uint64_t{status.device}, std::uint64_t{status.inode},
              static_cast<std::uint64_t>(status.size), static_cast<std::uint64_t>(status.changed)})
            parts.at(count++) = part;
        // A time in the future is of a clock that says nothing here.
        isProof = isProof && status.changed <= now - kRacyTime;
    };
    if (files.definition)
        add(~std::uint64_t{0}, *files.definition);
    for (const ValueFormat format : kValueFormats) {
        if (const auto &value = files.value(format)) {
            add(static_cast<std::uint64_t>(format), *value);
            ++values;
        }
    }
    const auto *bytes = reinterpret_cast<const std::uint8_t *>(parts.data());
    return {keyedHash({bytes, count * sizeof(parts[0])}), isProof && values <= 1};
}

std::int64_t fileClock() noexcept {
    timespec now{};
    // The coarse clock is the one that the kernel stamps files with.
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

} // namespace keyhold
