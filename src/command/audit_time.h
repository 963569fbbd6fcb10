// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold::command {

/// A time as people write it, in the form that records have, so that the two compare as texts.
/// "2026-11-29", "2026-11-29 10:00[:30]" and RFC 3339; "10:00", which is of today; "now", "today"
/// and "yesterday", the latter two for the midnight that they begin with; "2 hours ago", "2h" or
/// "-2h", with seconds, minutes, hours, days and weeks. Without an offset it is local time. Raises
/// invalidArgument.
[[nodiscard]] std::string parseTrailTime(const std::string &text);

/// The time of a record as local time with its offset (RFC 3339); the text itself if it is none.
[[nodiscard]] std::string localTimeText(const std::string &time);

} // namespace keyhold::command
