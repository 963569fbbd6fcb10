// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

/// Changes of a text in the syntax of libvirt's conf files that leave everything else of it as it
/// is: comments, blanks, line ends, other statements.
namespace keyhold {

/// The text with this value, as it is written there, in the first statement of the name, which is
/// the one that counts; with a new last line if there is none. `note` is a comment behind the
/// value, "# keyhold: ..." or empty, in place of an earlier one of that kind.
[[nodiscard]] std::string withStatement(std::string_view text, std::string_view name,
                                        std::string_view value, std::string_view note = {});
/// The text without any statement of the name, and without lines that held nothing else.
[[nodiscard]] std::string withoutStatement(std::string_view text, std::string_view name);
/// The note behind the value of the first statement of the name; empty if there is none.
[[nodiscard]] std::string_view noteOf(std::string_view text, std::string_view name);

/// The string as a value. Raises configUnsupported if the syntax cannot hold it.
[[nodiscard]] std::string confString(std::string_view text);

} // namespace keyhold
