// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace keyhold {

/// A document to define, and what is special about it.
struct Input {
    std::string name;
    std::string xml;
};

/// Documents about one subject. They are defined one at a time, each undefined before the next.
struct InputGroup {
    const char *name;
    std::vector<Input> (*inputs)();
};

/// All groups, in the order in which they are run.
[[nodiscard]] std::vector<InputGroup> inputGroups();

} // namespace keyhold
