// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace keyhold {

/// A process of this same program, sharing our stdout.
class Process {
  public:
    /// Standard error is appended to the file `errorOutput`.
    Process(const std::vector<std::string> &arguments, const std::string &errorOutput);
    Process(const Process &) = delete;
    Process &operator=(const Process &) = delete;
    /// Kills and reaps it if nobody waited.
    ~Process();

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// Waits for its end: "exit 0" or "signal 11".
    std::string wait();
    /// Waits for its end, or until it is seen asleep in open or read again and again, which is how
    /// a process stands that waits for the other end of a FIFO: then "hangs", and it is killed.
    std::string waitOrHang();

  private:
    [[nodiscard]] bool asleepInFile() const;
    static std::string describe(int status);

    pid_t pid_;
    bool ended_ = false;
};

} // namespace keyhold
