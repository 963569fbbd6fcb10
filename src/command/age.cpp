// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/age.h"

#include <algorithm>
#include <ctime>

namespace keyhold::command {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

} // namespace

std::string ageText(std::int64_t then, std::int64_t now) {
    constexpr std::int64_t kMinute = 60;
    constexpr std::int64_t kHour = 60 * kMinute;
    constexpr std::int64_t kDay = 24 * kHour;
    const std::int64_t seconds = std::max<std::int64_t>(now - then, 0) / kSecond;
    if (seconds < 2 * kMinute)
        return std::to_string(seconds) + "s";
    if (seconds < 2 * kHour)
        return std::to_string(seconds / kMinute) + "m";
    if (seconds < 2 * kDay)
        return std::to_string(seconds / kHour) + "h";
    return std::to_string(seconds / kDay) + "d";
}

std::string timeText(std::int64_t time) {
    const auto seconds = static_cast<std::time_t>(time / kSecond);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[sizeof "2026-01-01T00:00:00Z"];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

} // namespace keyhold::command
