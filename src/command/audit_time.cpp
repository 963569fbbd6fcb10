// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command/audit_time.h"

#include "conf/error.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string_view>

#include <glib.h>

namespace keyhold::command {

namespace {

struct TimeReleaser {
    void operator()(GDateTime *time) const noexcept { g_date_time_unref(time); }
};
using Time = std::unique_ptr<GDateTime, TimeReleaser>;

struct ZoneReleaser {
    void operator()(GTimeZone *zone) const noexcept { g_time_zone_unref(zone); }
};
using Zone = std::unique_ptr<GTimeZone, ZoneReleaser>;

std::string formatted(const Time &time, const char *format) {
    const std::unique_ptr<char, void (*)(void *)> text(g_date_time_format(time.get(), format),
                                                       g_free);
    return text ? text.get() : "";
}

/// Midnight, so many days from today on.
Time midnight(int days) {
    const Time now(g_date_time_new_now_local());
    const Time day(g_date_time_add_days(now.get(), days));
    int year = 0;
    int month = 0;
    int date = 0;
    g_date_time_get_ymd(day.get(), &year, &month, &date);
    return Time(g_date_time_new_local(year, month, date, 0, 0, 0));
}

/// Seconds of a unit; 0 for another word.
std::int64_t secondsOf(std::string_view unit) {
    struct Unit {
        std::string_view letter;
        std::string_view shortName;
        std::string_view name;
        std::int64_t seconds;
    };
    constexpr std::array<Unit, 5> kUnits{{{"s", "sec", "second", 1},
                                          {"m", "min", "minute", 60},
                                          {"h", "hr", "hour", 3600},
                                          {"d", "day", "day", 86400},
                                          {"w", "week", "week", 604800}}};
    for (const Unit &each : kUnits) {
        if (unit == each.letter)
            return each.seconds;
        if (unit.ends_with('s') && unit.size() > 1 &&
            (unit.substr(0, unit.size() - 1) == each.name ||
             unit.substr(0, unit.size() - 1) == each.shortName))
            return each.seconds;
        if (unit == each.name || unit == each.shortName)
            return each.seconds;
    }
    return 0;
}

/// "2 hours ago", "2h", "-2h"; null for anything else.
Time parseAgo(std::string_view text) {
    constexpr std::string_view kAgo = " ago";
    if (text.starts_with('-'))
        text.remove_prefix(1);
    else if (text.ends_with(kAgo))
        text.remove_suffix(kAgo.size());
    int count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || count < 0)
        return nullptr;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ')));
    const std::int64_t seconds = secondsOf(text);
    if (seconds == 0)
        return nullptr;
    const Time now(g_date_time_new_now_local());
    return Time(g_date_time_add_seconds(now.get(), -static_cast<double>(seconds) * count));
}

/// A date, a time of today, or both; null for anything else.
Time parseClock(std::string text) {
    constexpr std::size_t kDate = std::string_view("2026-11-29").size();
    constexpr std::size_t kMinutes = std::string_view("2026-11-29T10:00").size();
    if (text.size() > 2 && text[2] == ':')
        text.insert(0, formatted(midnight(0), "%Y-%m-%dT"));
    else if (text.size() == kDate)
        text += "T00:00:00";
    if (text.size() == kMinutes || (text.size() > kMinutes && text[kMinutes] != ':'))
        text.insert(kMinutes, ":00");
    const Zone local(g_time_zone_new_local());
    return Time(g_date_time_new_from_iso8601(text.c_str(), local.get()));
}

Time parse(const std::string &text) {
    if (text == "now")
        return Time(g_date_time_new_now_local());
    if (text == "today")
        return midnight(0);
    if (text == "yesterday")
        return midnight(-1);
    if (Time ago = parseAgo(text))
        return ago;
    return parseClock(text);
}

} // namespace

std::string parseTrailTime(const std::string &text) {
    const Time time = parse(text);
    const Time utc(time ? g_date_time_to_utc(time.get()) : nullptr);
    if (!utc)
        throw Error(ErrorCode::invalidArgument,
                    inQuotes(text) + " is no time; write it as '2026-11-29 10:00', '10:00', "
                                     "'yesterday' or '2 hours ago'");
    std::string fraction = std::to_string(1'000'000 + g_date_time_get_microsecond(utc.get()));
    fraction.front() = '.';
    return formatted(utc, "%Y-%m-%dT%H:%M:%S") + fraction + "Z";
}

std::string localTimeText(const std::string &time) {
    const Time parsed(g_date_time_new_from_iso8601(time.c_str(), nullptr));
    const Time local(parsed ? g_date_time_to_local(parsed.get()) : nullptr);
    return local ? formatted(local, "%Y-%m-%dT%H:%M:%S%:z") : time;
}

} // namespace keyhold::command
