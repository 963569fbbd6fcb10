// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

namespace keyhold::command {

/// How long ago, in one unit: "45s", "12m", "30h", "17d". "0s"
/// for what is to come. Nanoseconds since the epoch.
[[nodiscard]] std::string ageText(std::int64_t then, std::int64_t now);
/// RFC 3339, in UTC and whole seconds.
[[nodiscard]] std::string timeText(std::int64_t time);

} // namespace keyhold::command
