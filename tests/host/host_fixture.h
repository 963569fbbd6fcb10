// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conf/admin_log.h"
#include "host/instance_paths.h"
#include "os/temporary_directory.h"
#include "seal/keyring.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace keyhold {

/// Keeps what is reported.
class LineLog : public AdminLog {
  public:
    void info(const std::string &text) override { add("info: " + text); }
    void notice(const std::string &text) override { add("notice: " + text); }
    void warning(const std::string &text) override { add("warning: " + text); }
    void error(const std::string &text) override { add("error: " + text); }

    std::vector<std::string> lines; ///< to be read when nobody writes any more

  private:
    void add(std::string line) {
        const std::lock_guard lock(mutex_); // a load writes on all its threads
        lines.push_back(std::move(line));
    }

    std::mutex mutex_;
};

/// A directory with a `secret.conf` and key files, in a process that has libvirt.
class WithHost : public testing::Test {
  protected:
    void SetUp() override;

    /// Of an instance that has its settings in the directory.
    [[nodiscard]] InstancePaths paths() const;
    [[nodiscard]] std::string settingsFile() const { return directory.path() + "/secret.conf"; }
    /// Writes `secret.conf`.
    void configure(const std::string &text) const { put("secret.conf", text); }
    /// Writes a file of mode 0600 and answers its path. Directories on the way are made.
    std::string put(const std::string &name, const std::string &content) const;
    /// A file with 32 bytes of `seed`.
    std::string keyFile(std::uint8_t seed) const;
    [[nodiscard]] static std::string keyIdOf(std::uint8_t seed);

    TemporaryDirectory directory;
    LineLog log;
};

/// The number of a user whom permissions bind: this process's, unless it is root.
[[nodiscard]] unsigned somebody();
/// Makes this process one of somebody's. False if it cannot be.
[[nodiscard]] bool becomeSomebody();
/// Makes this process one of root, in a user namespace of its own where it is another's, whom
/// permissions bind as where a security module forbids: it has no capability. Files of its user are
/// root's. False if it cannot be. For a process with one thread.
[[nodiscard]] bool becomeBoundRoot();

} // namespace keyhold
