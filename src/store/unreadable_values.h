// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "conf/uuid.h"
#include "store/value.h"

#include <cstddef>
#include <map>
#include <string>

namespace keyhold {

/// The values that one reading of a store could not have. What keeps many of them from being read
/// makes one line of the log, whatever their number. By one thread at a time.
class UnreadableValues {
  public:
    enum class Served { nothing, formerValue };
    struct Cause {
        UnreadableCause of;
        Served served;

        auto operator<=>(const Cause &) const = default;
    };
    using Counts = std::map<Cause, std::size_t>;

    /// The log outlives it.
    explicit UnreadableValues(AdminLog &log) : log_(log) {}

    /// Takes note of a value that is unreadable.
    void add(const Uuid &uuid, const Value &value, Served instead);
    /// How many values there are for each key that is missing.
    [[nodiscard]] Counts counts() const;
    /// Reports each cause to the log, without the keys whose number is that in `before`.
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
