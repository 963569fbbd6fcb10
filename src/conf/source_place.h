// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace keyhold {

/// Where something was written: what an error says of its origin, and what libvirt's log shows. The
/// texts live as long as the program. std::source_location is not used because clang 14 does not
/// have it; __builtin_FUNCTION gives the bare name, as libvirt's own lines show it.
struct SourcePlace {
    const char *path; ///< as it was given to the compiler
    const char *function;
    unsigned int line;

    /// As a default argument: the place of the call that leaves it out. Such calls are on every
    /// way, so nothing is worked out here.
    [[nodiscard]] static constexpr SourcePlace
    current(const char *path = __builtin_FILE(), const char *function = __builtin_FUNCTION(),
            unsigned int line = __builtin_LINE()) noexcept {
        return {path, function, line};
    }

    /// As "src/store/index.cpp", wherever it was built.
    [[nodiscard]] constexpr const char *file() const noexcept {
        const std::string_view text(path);
        for (const std::string_view folder : {"/src/", "/tests/", "/bench/"}) {
            if (const std::size_t found = text.rfind(folder); found != std::string_view::npos)
                return path + found + 1;
        }
        return path;
    }
};

} // namespace keyhold
