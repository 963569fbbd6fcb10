// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "command/target.h"
#include "conf/uuid.h"
#include "os/temporary_directory.h"
#include "seal/sealing_policy.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace keyhold::command {

/// An embedded root with a `secret.conf`, empty at first, that goes at the end.
class StoreOnDisk {
  public:
    StoreOnDisk();

    [[nodiscard]] const std::string &root() const { return root_.path(); }
    [[nodiscard]] Target target() const;
    [[nodiscard]] TargetChoice choice() const;
    [[nodiscard]] std::string secrets() const { return root() + "/etc/secrets"; }

    /// Names are relative to the directory of the secrets; files get mode 0600.
    void put(const std::string &name, const std::string &content) const;
    [[nodiscard]] std::map<std::string, std::string> files() const;

    static Uuid uuid(int n);
    /// `U.xml`, `U.base64` and so on.
    static std::string nameOf(int n, const std::string &suffix);
    /// Definition n, with a use of its own.
    void define(int n) const;
    /// Definition n and its value, plain or sealed with a key of keyFile().
    void addPlain(int n, const std::string &value) const;
    void addSealed(int n, const std::string &value, std::uint8_t key) const;

    /// A file with 32 bytes of `seed`, made if it is not there.
    [[nodiscard]] std::string keyFile(std::uint8_t seed) const;
    /// `secret.conf`.
    void configure(const std::string &text) const;
    /// The line that names a key.
    [[nodiscard]] std::string keyLine(std::uint8_t seed) const;

  private:
    TemporaryDirectory root_;
};

/// Key `seed` seals if it is not 0; the others open.
[[nodiscard]] std::shared_ptr<const SealingPolicy>
atRestOf(std::uint8_t seed, const std::vector<std::uint8_t> &earlier = {},
         SealingPolicy::Rules rules = {});
[[nodiscard]] std::string keyIdOf(std::uint8_t seed);

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
