// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyhold {

/// One statement of a file in the syntax of libvirt's conf files (`name = value`). Of number, text
/// and list, the one that it has.
struct ConfStatement {
    std::string name;
    unsigned line = 0; ///< from 1
    /// Where the name begins, the value begins, and the value ends, in bytes.
    std::size_t begin = 0;
    std::size_t valueBegin = 0;
    std::size_t end = 0;
    /// As it is written, with its sign; empty for other values.
    std::string number;
    std::optional<std::string> text;
    /// The entries of a list, an entry that is no string as nothing.
    std::optional<std::vector<std::optional<std::string>>> list;
};

/// The statements of a text that libvirt's reader took, in order; of several with one name, libvirt
/// goes by the first. What it would not take ends them.
[[nodiscard]] std::vector<ConfStatement> scanConf(std::string_view text);

/// The first statement of a name; null if there is none.
[[nodiscard]] const ConfStatement *findStatement(const std::vector<ConfStatement> &statements,
                                                 std::string_view name);

} // namespace keyhold
