// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/unreadable_values.h"

namespace keyhold {

namespace {

using Served = UnreadableValues::Served;

std::string textOf(const Uuid &uuid, const std::string &why, Served served) {
    return "secret " + inQuotes(uuid.toString()) +
           (served == Served::nothing ? " is served without its value: "
                                      : " keeps the value it had: ") +
           why;
}

} // namespace

void UnreadableValues::add(const Uuid &uuid, const Value &value, Served instead) {
    Group &group = groups_[{value.cause(), instead}];
    if (++group.count > 1)
        return;
    group.first = uuid;
    group.whyFirst = value.reason().message();
}

UnreadableValues::Counts UnreadableValues::counts() const {
    Counts counts;
    for (const auto &[cause, group] : groups_) {
        if (cause.of.missingKey)
            counts.emplace(cause, group.count);
    }
    return counts;
}

void UnreadableValues::tell(const Counts &before) const {
    for (const auto &[cause, group] : groups_) {
        const auto known = before.find(cause);
        if (known != before.end() && known->second == group.count)
            continue;
        if (group.count == 1) {
            log_.error(textOf(group.first, group.whyFirst, cause.served));
            continue;
        }
        log_.error(std::to_string(group.count) +
                   (cause.served == Served::nothing ? " secrets are served without their values"
                                                    : " secrets keep the values they had") +
                   ", such as " + inQuotes(group.first.toString()) + ": " + group.whyFirst +
                   "; 'keyhold verify --verbose' names them all");
    }
}

} // namespace keyhold
