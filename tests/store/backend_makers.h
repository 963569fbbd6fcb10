// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/backend.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace keyhold {

/// A place for secrets that is empty at first.
class Subject {
  public:
    virtual ~Subject() = default;
    /// A backend of that place. Two of them are two processes.
    virtual std::unique_ptr<Backend> open() = 0;
    /// From now on no change can be made.
    virtual void failChanges() = 0;
    /// The former values that were kept.
    virtual std::vector<std::string> kept() = 0;
};

struct Maker {
    const char *name;
    std::unique_ptr<Subject> (*make)();
    bool isExact = false; ///< its revisions are
};

/// Each backend that is to keep the contract.
[[nodiscard]] std::span<const Maker> backendMakers();

} // namespace keyhold
