// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/caller.h"
#include "conf/usage.h"
#include "conf/uuid.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keyhold::audit {

/// What was done, or asked for (`event.action`).
enum class Action {
    valueRead, ///< "secret-value-read"
    valueSet,  ///< "secret-value-set"; an empty value removes the one there is
    defined,   ///< "secret-defined", redefined as well
    undefined, ///< "secret-undefined"
    lookedUp,  ///< "secret-looked-up", by uuid or usage
    listed,    ///< "secrets-listed", counted as well
    dumped,    ///< "secret-definition-read": its XML
    watched,   ///< "secret-events-watched": asked to be told of changes
    started,   ///< "audit-started"
    stopped,   ///< "audit-stopped"
    reloaded,  ///< "driver-reloaded"
    fileBegun, ///< "audit-file-begun": the one before it was renamed or removed
    resumed,   ///< "audit-resumed": records could not be written until now
    missing,   ///< "audit-records-missing": fewer are in the file than were written
};
[[nodiscard]] const char *nameOf(Action action) noexcept;

/// `event.outcome`. What a change came to is unknown until a record says so that
/// `follows` it.
enum class Outcome { success, failure, unknown };

/// What one record of the trail says, without its place in the trail. Nothing in it is a value, the
/// size of one, or a description.
struct Record {
    Action action{};
    Outcome outcome = Outcome::success;
    /// Why it failed, one word: "denied", "private", "not-found", "no-value", "unreadable",
    /// "missing-key", "audit-unavailable", "error". Empty otherwise.
    std::string reason;
    std::string message;          ///< for people: of an error, or of an event of the trail
    std::int64_t time = 0;        ///< microseconds since the epoch
    bool isCall = false;          ///< somebody called: `caller`, `job` and `connection` count
    std::optional<Caller> caller; ///< empty: the process itself
    std::string job;        ///< the API of libvirt that this thread works for; empty if unknown
    std::string connection; ///< URI of the connection it came by; empty if none
    std::optional<Uuid> secret;
    std::optional<Usage> usage;
    /// The record that this one says more of: of a change that it announced, or of a call that
    /// was refused after all.
    std::optional<std::uint64_t> follows;
    bool isLate = false;                      ///< written after the value was given out
    std::uint64_t count = 1;                  ///< how many like this one; or how many are missing
    std::optional<std::string> previousChain; ///< where a file begins: the chain before it
};

/// Cuts texts that are longer than kMaxText bytes, and says so in them: a client chooses some of
/// them, and a line must stay one that can be read back.
inline constexpr std::size_t kMaxText = 1024;
void cutTexts(Record &record);

/// A record of what the driver does on its own account, now.
[[nodiscard]] Record ofDriver(Action action, std::string message = {});

/// What is the same for all records of a trail.
struct Source {
    std::string instance; ///< "system", "session", or the directory of an embedded root
    std::string host;
    std::string bootId; ///< /proc/sys/kernel/random/boot_id, without its dashes
    pid_t pid = 0;
    uid_t userId = 0;
};

/// `event.sequence` of a record as textOf() makes it; empty if it is something else.
[[nodiscard]] std::optional<std::uint64_t> sequenceOf(std::string_view record);

/// The record with this as its `event.sequence`. Raises internal for a text that has none.
[[nodiscard]] std::string numbered(std::string_view record, std::uint64_t sequence);

/// Microseconds since the epoch.
[[nodiscard]] std::int64_t now();

/// The record as JSON (RFC 8259) by the names of the Elastic Common Schema 8.11 and, below
/// `keyhold`, our own (docs/audit.schema.json), without the closing brace: appendLine() adds that.
[[nodiscard]] std::string textOf(const Record &record, std::uint64_t sequence,
                                 const Source &source);

} // namespace keyhold::audit
