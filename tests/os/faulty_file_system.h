// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "os/disk_loss.h"
#include "os/file_system.h"

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyhold {

enum class Operation {
    makePath,
    openDirectory,
    open,
    close,
    status,
    statusAt,
    exists,
    statusOf,
    read,
    write,
    sync,
    isReadOnly,
    rename,
    link,
    unlink,
    list,
    lock,
    lockDirectory,
    unlockDirectory,
    truncate,
    setMode,
};

/// A FileSystem that passes calls on to another one, counts them, and lets chosen ones fail. A call
/// has the name of the file or directory as it was given when it was opened; rename and link have
/// both names, "from -> to".
class FaultyFileSystem final : public FileSystem {
  public:
    static constexpr int kAlways = -1;
    enum class Effect { none, done }; ///< whether a failed call is passed on all the same

    /// `inner` must outlive this.
    explicit FaultyFileSystem(FileSystem &inner) : inner_(inner) {}

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

    /// Of the calls of this operation whose name contains `nameContains` (all if empty), `times`
    /// answer -error once `after` have passed; 0 is a success that did nothing. A failed close has
    /// always closed; a failed open leaves no descriptor.
    void fail(Operation operation, std::string nameContains, int error, int times = 1,
              Effect effect = Effect::none, int after = 0);
    /// Runs `action` before each such call, on its thread; it may use this file system, and is not
    /// run for its own calls.
    void before(Operation operation, std::string nameContains, std::function<void()> action);
    /// From now on, the disk below is gone.
    void loseDisk(DiskLoss how);
    /// read and write transfer at most `bytes` a call; 0 for no limit.
    void limitTransfers(std::size_t bytes);
    /// Takes all of the above back.
    void clearFaults();

    /// Calls so far whose name contains `nameContains`, failed ones included.
    [[nodiscard]] std::size_t count(Operation operation, std::string_view nameContains = {}) const;
    void clearCounts();
    /// Descriptors opened through this and not closed.
    [[nodiscard]] std::size_t openDescriptors() const;

  private:
    struct Fault {
        Operation operation;
        std::string nameContains;
        int error;
        int times;
        Effect effect;
        int after;
    };
    struct Action {
        Operation operation;
        std::string nameContains;
        std::function<void()> run;
    };

    template <typename Call>
    ssize_t pass(Operation operation, const std::string &name, Call call);
    template <typename Call>
    int passInt(Operation operation, const std::string &name, Call call);
    template <typename Call>
    int passOpen(Operation operation, const std::string &name, Call call);
    [[nodiscard]] std::string nameOf(int descriptor) const;
    [[nodiscard]] std::size_t limited(std::size_t size) const;
    [[nodiscard]] bool isReadOnlyNow() const;
    void runActions(Operation operation, const std::string &name);
    /// The fault that concerns a call, used up by one; error 0 if there is none.
    Fault takeFault(Operation operation, const std::string &name);

    FileSystem &inner_;
    mutable std::mutex mutex_; ///< for all below; not held while a call is passed on
    std::vector<Fault> faults_;
    std::vector<Action> actions_;
    std::size_t transferLimit_ = 0;
    bool isReadOnly_ = false;          ///< no file can be made
    std::map<int, std::string> names_; ///< of open descriptors
    std::vector<std::pair<Operation, std::string>> calls_;
};

} // namespace keyhold
