// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <sys/types.h>

namespace keyhold {

/// Another process of this program: one more client of the same roots.
class OtherProcess {
  public:
    /// What the other process does, on the root it is given: `hold` opens it and prints "open", or
    /// the error, and closes it when it is asked to; `dump` opens it and prints what it finds.
    enum class Task { hold, dump };

    OtherProcess(Task task, const std::string &root);
    OtherProcess(const OtherProcess &) = delete;
    OtherProcess &operator=(const OtherProcess &) = delete;
    ~OtherProcess();

    /// The next line it prints, without its end; empty at the end of its output.
    [[nodiscard]] std::string readLine();
    /// Lets it go on, and returns all that it still prints.
    [[nodiscard]] std::string readAll();
    /// Lets it go on, and waits until it is gone: "exit 0", "signal 11".
    std::string finish();

    /// The program's other main(), if the arguments ask for it: `task root`. Returns its exit code.
    static int run(const std::string &task, const std::string &root);

  private:
    void closeInput();

    pid_t pid_ = -1;
    int input_ = -1;
    int output_ = -1;
};

/// "open", or the error another process gets now.
[[nodiscard]] std::string openElsewhere(const std::string &root);
/// dumpPersistent() of a new process.
[[nodiscard]] std::string dumpElsewhere(const std::string &root);

} // namespace keyhold
