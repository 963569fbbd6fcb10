// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <string>

namespace keyhold {

/// The directory of a file that an absolute path names.
[[nodiscard]] inline std::string directoryOf(const std::string &path) {
    return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
}

/// The name of the file in it.
[[nodiscard]] inline std::string nameIn(const std::string &path) {
    return path.substr(path.rfind('/') + 1);
}

} // namespace keyhold
