// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/secret_definition.h"
#include "store/revision.h"
#include "store/value.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace keyhold {

/// What a secret was read from.
struct ReadMark {
    Revision revision;
    /// SealingPolicy::hash() of the policy that opened its value; 0 if another reading may have
    /// another result.
    std::uint64_t policy = 0;
};

/// The mark of a record that is shared and else constant. It may change while others read it: a
/// mark that is seen half changed is one that nothing has.
class CurrentMark {
  public:
    CurrentMark() = default;
    explicit CurrentMark(ReadMark mark) : revision_(mark.revision), policy_(mark.policy) {}
    CurrentMark(const CurrentMark &) = delete;
    CurrentMark &operator=(const CurrentMark &) = delete;

    [[nodiscard]] ReadMark get() const noexcept {
        return {revision_.load(std::memory_order_relaxed), policy_.load(std::memory_order_relaxed)};
    }
    void set(ReadMark mark) const noexcept {
        revision_.store(mark.revision, std::memory_order_relaxed);
        policy_.store(mark.policy, std::memory_order_relaxed);
    }

  private:
    mutable std::atomic<Revision> revision_{Revision()};
    mutable std::atomic<std::uint64_t> policy_{0};
};

/// One state of one secret. Records never change, but for the mark: a writer makes the next one and
/// publishes it, and a reader that holds one goes on with what it saw.
struct Record {
    Record() = default;
    Record(SecretDefinition definitionNow, Value valueNow, bool isStoredNow, ReadMark markNow = {})
        : definition(std::move(definitionNow)),
          value(std::move(valueNow)),
          isStored(isStoredNow),
          mark(markNow) {}

    SecretDefinition definition;
    Value value;
    /// The backend holds it. True for an ephemeral secret only if somebody wrote its definition
    /// into the store by hand; what clients change of such a one is in memory alone.
    bool isStored = false;
    /// Of the two above, as the backend holds them.
    CurrentMark mark;
};

using RecordPtr = std::shared_ptr<const Record>;

} // namespace keyhold
