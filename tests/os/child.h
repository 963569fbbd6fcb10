// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyhold {

/// Runs a function in a child, which then stays until finish() or kill().
class Child {
  public:
    explicit Child(const std::function<bool()> &work) {
        int fromChild[2];
        int toChild[2];
        EXPECT_EQ(0, ::pipe(fromChild));
        EXPECT_EQ(0, ::pipe(toChild));
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(toChild[1]);
            char byte = work() ? 'y' : 'n';
            const bool isTold = ::write(fromChild[1], &byte, 1) == 1;
            if (isTold && ::read(toChild[0], &byte, 1) < 0)
                ::_exit(1);
            ::_exit(0);
        }
        ::close(fromChild[1]);
        ::close(toChild[0]);
        release_ = toChild[1];
        EXPECT_EQ(1, ::read(fromChild[0], &answer_, 1));
        ::close(fromChild[0]);
    }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;
    ~Child() { finish(); }

    /// What the function answered.
    [[nodiscard]] bool succeeded() const { return answer_ == 'y'; }
    [[nodiscard]] pid_t pid() const { return pid_; }

    /// Ends the child without any destructor, as kill -9 does.
    void finish() {
        if (pid_ <= 0)
            return;
        ::close(release_);
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
    }

  private:
    pid_t pid_ = -1;
    int release_ = -1;
    char answer_ = '?';
};

} // namespace keyhold
