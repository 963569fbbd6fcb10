// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace keyhold {

/// Where the store tells what an administrator should know. Texts name files and reasons, never
/// values. Safe for concurrent use; may be called while the caller has a secret to itself.
class Journal {
  public:
    virtual ~Journal() = default;
    virtual void info(const std::string &text) = 0;
    virtual void warning(const std::string &text) = 0;
    virtual void error(const std::string &text) = 0;
};

} // namespace keyhold
