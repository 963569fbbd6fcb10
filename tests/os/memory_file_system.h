// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/fault_script.h"
#include "os/file_system.h"
#include "os/memory_disk.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace keyhold {

struct MemoryState;

/// Files in memory, with a disk that forgets what was not synced, and a process that can be stopped
/// at any call. Absolute paths; no symbolic links that lead anywhere, no permissions. Descriptors
/// are never used again, so a stale one is noticed. One process; another one's lock can be
/// simulated.
///
/// A call is counted when it comes, also if it fails. "Changing" calls are makePath, open with
/// O_CREAT or O_TRUNC, write, sync, rename, link, unlink and truncate.
class MemoryFileSystem final : public FileSystem {
  public:
    using Calls = FaultScript::Calls;
    using Effect = FaultScript::Effect;
    class Snapshot;

    MemoryFileSystem();
    ~MemoryFileSystem() override;

    int makePath(const std::string &path) override;
    int openDirectory(const std::string &path) override;
    int open(int directory, const char *name, int flags, mode_t mode) override;
    int close(int descriptor) override;
    int status(int descriptor, FileStatus &out) override;
    int statusAt(int directory, const char *name, FileStatus &out) override;
    int exists(int directory, const char *name) override;
    int statusOf(const std::string &path, FileStatus &out) override;
    ssize_t read(int descriptor, void *buffer, std::size_t size) override;
    ssize_t readAt(int descriptor, void *buffer, std::size_t size, off_t offset) override;
    ssize_t write(int descriptor, const void *buffer, std::size_t size) override;
    int fsync(int descriptor) override;
    int isReadOnly(int descriptor) override;
    int rename(int directory, const char *from, const char *to) override;
    int link(int directory, const char *from, const char *to) override;
    int unlink(int directory, const char *name) override;
    int list(int directory, const std::function<void(const char *name)> &visit) override;
    int lock(int descriptor) override;
    int lockDirectory(int descriptor) override;
    int unlockDirectory(int descriptor) override;
    int truncate(int descriptor, off_t size) override;
    int setMode(int descriptor, mode_t mode) override;

    /// \name Faults. `k` counts from now, 1 is the next call of that kind.
    /// @{
    /// The k-th call answers -error. A failed close has always closed; a failed open leaves no
    /// descriptor.
    void failCall(std::size_t k, int error, Effect effect = Effect::none,
                  Calls calls = Calls::changing);
    /// Every call from the k-th on answers -error and does nothing.
    void failFrom(std::size_t k, int error, Calls calls = Calls::changing);
    /// After k more calls the process is stopped: every call throws Stopped; close, and calls made
    /// while an exception is on its way, answer -EIO instead. Ends the test program when it
    /// happens in a noexcept function; then take dieAfter().
    void stopAfter(std::size_t k, Calls calls = Calls::changing);
    /// After k more calls every call answers -EIO and does nothing: what is on the disk is what a
    /// process that was killed there leaves behind.
    void dieAfter(std::size_t k, Calls calls = Calls::changing);
    /// After k more changing calls the disk is gone: nothing changes on it any more.
    void loseDisk(std::size_t k, DiskLoss how);
    void clearFaults();
    /// Whether a call was refused by stopAfter() or dieAfter().
    [[nodiscard]] bool isStopped() const;
    /// @}

    /// \name What was called, since the last clearTrace().
    /// @{
    [[nodiscard]] std::size_t callCount(Calls calls = Calls::changing) const;
    /// One line a call: "create /d/a", "open /d/a", "rename /d/a -> /d/b", "write /d/a = ENOSPC".
    [[nodiscard]] std::vector<std::string> trace(Calls calls = Calls::changing) const;
    void clearTrace();
    /// @}

    /// \name Ends of the process. Descriptors, locks and faults are gone afterwards.
    /// @{
    void crashKill();
    void crashPowerLoss(std::mt19937_64 &rng, const PowerLoss &how = {});
    /// Files, descriptors and locks; not faults, counters and trace.
    [[nodiscard]] Snapshot snapshot() const;
    void restore(const Snapshot &snapshot);
    /// @}

    /// \name What other people do and see. Not counted, durable at once, missing parents are made.
    /// @{
    void putFile(const std::string &path, std::string_view content, mode_t mode = 0600);
    void putDirectory(const std::string &path);
    void putFifo(const std::string &path);
    void putDanglingLink(const std::string &path);
    /// A file, or a directory with all that is in it.
    void removeAll(const std::string &path);
    void holdLock(const std::string &path);
    void dropLock(const std::string &path);
    /// @}

    /// \name Looks that are not counted.
    /// @{
    [[nodiscard]] std::optional<std::string> content(const std::string &path) const;
    [[nodiscard]] std::vector<std::string> names(const std::string &directory) const;
    /// True if nothing in or below the directory waits for a sync.
    [[nodiscard]] bool allSynced(const std::string &directory) const;
    [[nodiscard]] bool isLocked(const std::string &path) const;
    [[nodiscard]] std::size_t openDescriptors() const;
    /// @}

  private:
    /// Counts and traces a call, and makes it or lets it fail, as the faults have it.
    template <typename Body>
    ssize_t perform(const FaultScript::Call &call, Body body);
    template <typename Place>
    ssize_t performRead(int descriptor, void *buffer, std::size_t size, const Place &place);
    template <typename Body>
    int performOpen(const FaultScript::Call &call, Body body);
    template <typename Body>
    int performInt(const FaultScript::Call &call, Body body);
    void put(const std::string &path, mode_t mode, std::string_view content);

    mutable std::mutex mutex_; ///< for all below
    std::unique_ptr<MemoryState> state_;
    FaultScript script_;
};

/// Copies share the state, which nobody changes.
class MemoryFileSystem::Snapshot {
    friend class MemoryFileSystem;
    std::shared_ptr<const MemoryState> state_;
};

} // namespace keyhold
