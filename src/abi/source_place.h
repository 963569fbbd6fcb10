// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace keyhold::abi {

/// Where a call was written, for libvirt's log. std::source_location is not used because clang 14
/// does not have it; __builtin_FUNCTION gives the bare name, as libvirt's own lines show it.
struct SourcePlace {
    const char *file;
    const char *function;
    unsigned int line;

    [[nodiscard]] static constexpr SourcePlace
    current(const char *file = __builtin_FILE(), const char *function = __builtin_FUNCTION(),
            unsigned int line = __builtin_LINE()) noexcept {
        return {file, function, line};
    }
};

} // namespace keyhold::abi
