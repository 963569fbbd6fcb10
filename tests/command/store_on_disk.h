// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/target.h"
#include "directory/store_files.h"

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>

namespace keyhold::command {

/// An embedded root with a `secret.conf`, empty at first.
class StoreOnDisk : public StoreFiles {
  public:
    StoreOnDisk();

    [[nodiscard]] Target target() const;
    [[nodiscard]] TargetChoice choice() const;

    /// A file with 32 bytes of `seed`, made if it is not there.
    [[nodiscard]] std::string keyFile(std::uint8_t seed) const;
    /// `secret.conf`.
    void configure(const std::string &text) const;
    /// The line that names a key.
    [[nodiscard]] std::string keyLine(std::uint8_t seed) const;
};

/// A child process that holds the lock of a store until it goes.
class LockingProcess {
  public:
    explicit LockingProcess(const std::string &stateDirectory);
    /// One that has no more than the lock on this directory.
    [[nodiscard]] static LockingProcess ofDirectory(const std::string &directory);
    LockingProcess(const LockingProcess &) = delete;
    LockingProcess &operator=(const LockingProcess &) = delete;
    ~LockingProcess();

    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    explicit LockingProcess(const std::function<void()> &lock);

    pid_t pid_;
};

} // namespace keyhold::command
