// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>

/// What differs between releases of libvirt, asked at run time.
namespace keyhold::abi {

/// libvirt's own numbering: major * 1,000,000 + minor * 1,000 + release.
inline constexpr unsigned long kOldestRelease = 9'000'000;
inline constexpr unsigned long kNewestTestedRelease = 12'008'000;

/// Release of the libvirt in this process (virGetVersion), 0 if it would not say. The first call
/// resets libvirt's error of the calling thread; make it before there is one to keep.
[[nodiscard]] unsigned long runningRelease() noexcept;

/// Slots of HypervisorDriver that this driver fills.
struct HypervisorSlots {
    std::size_t name;
    std::size_t connectOpen;
    std::size_t connectClose;
    std::size_t connectIsEncrypted;
    std::size_t connectIsSecure;
    std::size_t connectIsAlive;
};

/// 11.2.0 inserted two entries before the last three (seen in 11.3.0 and 12.8.0).
[[nodiscard]] constexpr HypervisorSlots hypervisorSlots(unsigned long release) noexcept {
    constexpr unsigned long kMoved = 11'002'000;
    if (release < kMoved)
        return {0, 2, 3, 128, 129, 195};
    return {0, 2, 3, 130, 131, 197};
}

} // namespace keyhold::abi
