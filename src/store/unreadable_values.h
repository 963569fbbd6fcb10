// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "conf/uuid.h"
#include "store/value.h"

#include <cstddef>
#include <map>
#include <string>

namespace keyhold {

/// The values that one reading of a store could not have. A key that is missing makes one line of
/// the log, whatever the number of values that need it. By one thread at a time.
class UnreadableValues {
  public:
    enum class Served { nothing, formerValue };
    struct Cause {
        MissingKey key;
        Served served;

        auto operator<=>(const Cause &) const = default;
    };
    using Counts = std::map<Cause, std::size_t>;

    /// The log outlives it.
    explicit UnreadableValues(AdminLog &log) : log_(log) {}

    /// Takes note of a value that is unreadable, and reports it to the log at once if no key is
    /// missing.
    void add(const Uuid &uuid, const Value &value, Served instead);
    /// How many values there are for each key.
    [[nodiscard]] Counts counts() const;
    /// Reports to the log each key for which the number is another than in `before`.
    void tell(const Counts &before = {}) const;

  private:
    struct Group {
        std::size_t count = 0;
        Uuid first;
        std::string whyFirst;
    };

    AdminLog &log_;
    std::map<Cause, Group> groups_;
};

} // namespace keyhold
