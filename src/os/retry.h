// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace keyhold {

/// Whether to try once more for what others hold for moments: waits a little and answers true, or
/// answers false at once when that has gone on for long enough.
using Retry = std::function<bool()>;

/// For locks that tools, and our own command, hold for moments.
inline constexpr std::chrono::milliseconds kLockPatience = std::chrono::seconds(2);

/// Waits for `patience` in all, by `sleep`.
[[nodiscard]] inline Retry retryFor(
    std::chrono::milliseconds patience,
    std::function<void(std::chrono::milliseconds)> sleep = [](std::chrono::milliseconds each) {
        std::this_thread::sleep_for(each);
    }) {
    static constexpr std::chrono::milliseconds kEach{20};
    return [left = patience, sleep = std::move(sleep)]() mutable {
        if (left < kEach)
            return false;
        left -= kEach;
        sleep(kEach);
        return true;
    };
}

} // namespace keyhold
