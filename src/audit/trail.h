// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audit/record.h"
#include "conf/admin_log.h"
#include "conf/error.h"
#include "conf/settings.h"
#include "os/deadline.h"
#include "os/file_system.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <sys/types.h>

namespace keyhold::audit {

struct Options {
    std::string file;    ///< absolute
    std::string keyFile; ///< absolute; while there is none, records are not sealed
    /// Absolute, on a file system in memory; empty if there is none. See Spool.
    std::string spoolFile{};
    bool isSynced = true;
    AuditOnFailure onFailure = AuditOnFailure::refuseClients;
    Source source;
    Deadline::Now now = Deadline::Clock::now;

    /// The rest can be changed while it is written.
    [[nodiscard]] bool isSameTrail(const Options &other) const {
        return file == other.file && keyFile == other.keyFile;
    }
};

/// How a trail is.
struct Health {
    std::string file;
    std::uint64_t sequence = 0; ///< of the last record; 0 if there is none yet
    std::int64_t written = 0;   ///< when that was, in microseconds since the epoch
    bool isSealed = false;
    std::string failure;     ///< why records cannot be written now; empty if they can
    std::size_t waiting = 0; ///< records that wait for the file to be there again
    std::uint64_t lost = 0;  ///< records that found no room to wait, since the start
};

/// The reason of calls that are refused because they cannot be recorded.
inline constexpr const char *kUnavailable = "audit-unavailable";

/// A call is refused because it cannot be recorded.
class UnavailableError : public Error {
  public:
    UnavailableError(const Error &cause, bool isRecorded) : Error(cause), isRecorded_(isRecorded) {}

    /// The record is on its way to the file, and one behind it will say that this was refused.
    [[nodiscard]] bool isRecorded() const noexcept { return isRecorded_; }

  private:
    bool isRecorded_;
};

struct Entry;
struct TrailState;

/// What became of a record that was admitted, for a later one that says more of it.
class Admission {
  public:
    Admission() = default;
    explicit Admission(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}

    /// Of the record; 0 until it is in the file.
    [[nodiscard]] std::uint64_t sequence() const noexcept;

  private:
    friend class Trail;
    std::shared_ptr<Entry> entry_;
};

/// The audit trail of one instance: a thread that writes records to a file, each chained to the one
/// before it, in the order in which they came. Who waits for a record shares one sync with all that
/// wait at the same time. All calls are safe from any thread.
class Trail {
  public:
    /// How long one call may wait.
    static constexpr std::chrono::seconds kPatience{2};
    /// How many records wait while the file cannot be written.
    static constexpr std::size_t kMaxWaiting = 4096;

    /// The file is opened by the thread, so that a file system that hangs keeps nobody.
    /// `fileSystem` and `log` live as long as the process. Raises std::system_error or bad_alloc.
    Trail(FileSystem &fileSystem, Options options, AdminLog &log);
    /// As stop().
    ~Trail();
    Trail(const Trail &) = delete;
    Trail &operator=(const Trail &) = delete;

    /// For what must not happen unrecorded: returns once the record is in the file, and durable if
    /// records are. If they are not, the spool is enough for a record that announces no change.
    /// It returns as well if the policy lets the call go on without; then the record waits for the
    /// file to be there again, and counts as lost if there are too many. Otherwise raises
    /// UnavailableError: fileAccess, with the file and the reason.
    Admission admit(Record record);
    /// For what has happened: it is written as soon as it can be, and nobody waits. It names the
    /// record that it `follows`, if there is one. By the process that made this, alone.
    void note(Record record, const Admission &follows = {}) noexcept;

    /// The file is opened again, and a key that was made since is read, before the next record.
    void reopen() noexcept;
    [[nodiscard]] Health health() const;
    /// As it was made.
    [[nodiscard]] const Options &options() const noexcept;
    /// Counts from the next record on.
    void setPolicy(bool isSynced, AuditOnFailure onFailure) noexcept;

    /// Writes what is left and ends the thread, within kPatience; one that hangs in the kernel is
    /// left to itself. In a forked child, where there is no such thread, this does nothing.
    void stop() noexcept;

  private:
    const std::shared_ptr<TrailState> state_; // the thread has it as well
    std::jthread thread_;
    const pid_t owner_;
};

} // namespace keyhold::audit
