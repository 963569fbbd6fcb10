// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyhold {

/// The one of `words` that `word` was probably meant to be: one that begins with it, or the one to
/// which the fewest letters must be put in, left out, changed or swapped, if these are few beside
/// its length. The first of equals.
[[nodiscard]] std::optional<std::string> nearestWord(std::string_view word,
                                                     const std::vector<std::string> &words);

/// "; did you mean 'WORD'?", or nothing.
[[nodiscard]] std::string didYouMean(std::string_view word, const std::vector<std::string> &words);

} // namespace keyhold
