// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <span>
#include <string_view>

namespace keyhold {

/// The one of `words` that `word` was most likely meant to be; empty if none is near. Near are two
/// changes, of a character that is missing, too many, another one, or exchanged with its neighbour
/// (the optimal string alignment distance), as long as most of the word is right.
[[nodiscard]] std::string_view nearestWord(std::string_view word,
                                           std::span<const std::string_view> words);

} // namespace keyhold
