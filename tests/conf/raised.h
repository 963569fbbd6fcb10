// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/error.h"

#include <optional>
#include <ostream>
#include <string>

namespace keyhold {

/// What a test compares of an error.
struct Raised {
    ErrorCode code;
    std::string text;

    bool operator==(const Raised &) const = default;
};

inline std::ostream &operator<<(std::ostream &out, const Raised &raised) {
    return out << "code " << static_cast<int>(raised.code) << ", text \"" << raised.text << '"';
}

/// The error that the action raises; empty if it raises none.
template <typename Action>
std::optional<Raised> raisedBy(Action action) {
    try {
        action();
    } catch (const Error &error) {
        return Raised{error.code(), error.message()};
    }
    return std::nullopt;
}

} // namespace keyhold
