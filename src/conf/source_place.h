// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace keyhold {

/// Where something was written: what an error says of its origin, and what libvirt's log shows. The
/// texts live as long as the program. std::source_location is not used because clang 14 does not
/// have it; __builtin_FUNCTION gives the bare name, as libvirt's own lines show it.
struct SourcePlace {
    const char *file; ///< as "src/store/index.cpp", wherever it was built
    const char *function;
    unsigned int line;

    /// As a default argument: the place of the call that leaves it out.
    [[nodiscard]] static constexpr SourcePlace
    current(const char *file = __builtin_FILE(), const char *function = __builtin_FUNCTION(),
            unsigned int line = __builtin_LINE()) noexcept {
        return {withinProject(file), function, line};
    }

  private:
    static constexpr const char *withinProject(const char *path) noexcept {
        const std::string_view text(path);
        for (const std::string_view folder : {"/src/", "/tests/", "/bench/"}) {
            if (const std::size_t found = text.rfind(folder); found != std::string_view::npos)
                return path + found + 1;
        }
        return path;
    }
};

} // namespace keyhold
