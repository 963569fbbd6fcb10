// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/nearest_word.h"

#include "conf/error.h"

#include <algorithm>
#include <cstddef>

namespace keyhold {

namespace {

/// The optimal string alignment distance.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> steps(a.size() + 1,
                                                std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                steps[i][j] = i + j;
                continue;
            }
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            steps[i][j] =
                std::min({steps[i - 1][j] + 1, steps[i][j - 1] + 1, steps[i - 1][j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                steps[i][j] = std::min(steps[i][j], steps[i - 2][j - 2] + 1);
        }
    }
    return steps[a.size()][b.size()];
}

} // namespace

std::optional<std::string> nearestWord(std::string_view word,
                                       const std::vector<std::string> &words) {
    constexpr std::size_t kLongest = 64;
    constexpr std::size_t kShortestBegin = 3;
    if (word.empty() || word.size() > kLongest)
        return std::nullopt;
    std::optional<std::string> nearest;
    std::size_t fewest = 0;
    for (const std::string &each : words) {
        if (word.size() >= kShortestBegin && each.starts_with(word))
            return each;
        const std::size_t steps = distance(word, each);
        if (steps <= std::max<std::size_t>(1, each.size() / 3) && (!nearest || steps < fewest)) {
            nearest = each;
            fewest = steps;
        }
    }
    return nearest;
}

std::string didYouMean(std::string_view word, const std::vector<std::string> &words) {
    const auto nearest = nearestWord(word, words);
    return nearest ? "; did you mean " + inQuotes(*nearest) + "?" : "";
}

} // namespace keyhold
