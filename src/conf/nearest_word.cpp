// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conf/nearest_word.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace keyhold {

namespace {

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> beforeLast;
    std::vector<std::size_t> last(b.size() + 1);
    std::iota(last.begin(), last.end(), 0);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::vector<std::size_t> row(b.size() + 1, i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], beforeLast[j - 2] + 1);
        }
        beforeLast = std::exchange(last, std::move(row));
    }
    return last.back();
}

} // namespace

std::string_view nearestWord(std::string_view word, std::span<const std::string_view> words) {
    std::string_view nearest;
    std::size_t least = std::min<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string_view candidate : words) {
        if (const std::size_t found = distance(word, candidate); found < least) {
            nearest = candidate;
            least = found;
        }
    }
    return nearest;
}

} // namespace keyhold
