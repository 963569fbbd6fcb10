// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/secret_definition.h"
#include "seal/sealing_policy.h"
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
    ValueFormats format = 0; ///< of its value, where one is stored
};

/// The mark of a record that is shared and else constant. It may change while others read it: a
/// mark that is seen half changed is one that nothing has.
class CurrentMark {
  public:
    CurrentMark() = default;
    explicit CurrentMark(ReadMark mark)
        : revision_(mark.revision),
          policy_(mark.policy),
          format_(mark.format) {}
    CurrentMark(const CurrentMark &) = delete;
    CurrentMark &operator=(const CurrentMark &) = delete;

    [[nodiscard]] ReadMark get() const noexcept {
        return {revision_.load(std::memory_order_relaxed), policy_.load(std::memory_order_relaxed),
                format_.load(std::memory_order_relaxed)};
    }
    void set(ReadMark mark) const noexcept {
        revision_.store(mark.revision, std::memory_order_relaxed);
        policy_.store(mark.policy, std::memory_order_relaxed);
        format_.store(mark.format, std::memory_order_relaxed);
    }

  private:
    mutable std::atomic<Revision> revision_{Revision()};
    mutable std::atomic<std::uint64_t> policy_{0};
    mutable std::atomic<ValueFormats> format_{0};
};

/// One state of one secret. Records never change, but for the mark: a writer makes the next one and
/// publishes it, and a reader that holds one goes on with what it saw.
struct Record {
    Record() = default;
    Record(SecretDefinition definitionNow, Value valueNow, bool isStoredNow, ReadMark markNow = {})
        : definition(std::move(definitionNow)),
          value(std::move(valueNow)),
          mark(markNow),
          isStored(isStoredNow) {}

    SecretDefinition definition;
    Value value;
    /// Of these two, as the backend holds them.
    [[no_unique_address]] CurrentMark mark; // isStored has room in it, once for each secret
    /// The backend holds it. True for an ephemeral secret only if somebody wrote its definition
    /// into the store by hand; what clients change of such a one is in memory alone.
    bool isStored = false;
};

using RecordPtr = std::shared_ptr<const Record>;

} // namespace keyhold
